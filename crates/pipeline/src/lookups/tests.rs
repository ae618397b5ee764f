//! Tests of lookup tables.
