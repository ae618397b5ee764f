//! Plans to a rule set; events to detections.
