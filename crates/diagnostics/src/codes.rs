//! The registry of diagnostic codes.
//!
//! Ranges: `11xx` EQL syntax, `12xx` EQL meaning, `13xx` KQL, `14xx` rule documents,
//! `15xx` exceptions, filters and value lists, `16xx` lints, `17xx` plans and limits, `18xx` specs, `19xx` what was measured,
//! `20xx` ES|QL, `21xx` the event store.
//! A number is never given to another meaning, even after its code is gone.

use crate::code::{Code, CodeInfo, Severity};
use Severity::{Error, Note, Warning};

macro_rules! codes {
    ($($number:literal $name:ident $severity:ident $kebab:literal $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(&CodeInfo {
                number: $number, name: $kebab, severity: $severity, title: $title,
            });
        )*
        /// Every code, in order of number.
        pub static REGISTRY: &[Code] = &[$($name),*];
    };
}

codes! {
    1101 EQL_TOKEN Error "eql-token" "a character or literal that EQL does not know";
    1102 EQL_SYNTAX Error "eql-syntax" "the EQL grammar expects something else here";
    1103 EQL_STRING_QUOTES Error "eql-string-quotes" "strings are written in double quotes, raw strings in three";
    1104 EQL_UNICODE_ESCAPE Error "eql-unicode-escape" "a \\u escape that stands for no character";
    1105 EQL_OPTION Error "eql-option" "an option of `sequence` or of a query that EQL does not know, or in the wrong place";
    1106 EQL_TIME_UNIT Error "eql-time-unit" "a time span without a unit, or with one that EQL does not know";
    1107 EQL_STAGES Error "eql-stages" "too few queries, too many, or a combination that has no meaning";
    1108 EQL_UNSUPPORTED Error "eql-unsupported" "syntax that Elasticsearch's EQL does not support";
    1109 EQL_ARGUMENT_COUNT Error "eql-argument-count" "a function called with the wrong number of arguments";
    1110 EQL_NUMBER Error "eql-number" "a number out of range";
    1111 EQL_PIPE Error "eql-pipe" "a pipe that EQL does not know, or one used wrongly";
    1112 EQL_NESTING Error "eql-nesting" "a query nested too deeply";
    1201 EQL_UNKNOWN_FIELD Error "eql-unknown-field" "a field that no schema knows";
    1202 EQL_UNKNOWN_FUNCTION Error "eql-unknown-function" "a function that EQL does not have";
    1203 EQL_TYPE Error "eql-type" "an operand of the wrong type";
    1204 EQL_NOT_EXACT Error "eql-not-exact" "a text field without a keyword sub-field cannot be compared exactly";
    1205 EQL_NOT_BOOLEAN Error "eql-not-boolean" "a condition that is not true or false";
    1206 EQL_FIELD_TYPE Error "eql-field-type" "a field whose type EQL does not support";
    1207 EQL_FIELD_COMPARISON Error "eql-field-comparison" "Elasticsearch does not compare a field with a field here";
    1208 EQL_KEY_TYPE Error "eql-key-type" "join keys of different types";
    1209 EQL_CONSTANT Error "eql-constant" "an argument that must be a constant";
    1210 EQL_FIELD_UNMAPPED Warning "eql-field-unmapped" "no schema knows the field: it counts as missing unless events carry it";
    1211 EQL_EXTENSION Warning "eql-extension" "works here, but not in Elasticsearch";
    1212 EQL_REGEX Error "eql-regex" "a regular expression that is malformed or too large";
    1213 EQL_TYPE_LENIENT Warning "eql-type-lenient" "the types differ; Elasticsearch would refuse the query";
    1301 KQL_SYNTAX Error "kql-syntax" "the KQL grammar expects something else here";
    1302 KQL_LEADING_WILDCARD Error "kql-leading-wildcard" "a value that begins with a wildcard, where these are switched off";
    1303 KQL_NESTING Error "kql-nesting" "a query nested too deeply";
    1304 KQL_FIELD_UNMAPPED Warning "kql-field-unmapped" "no schema knows the field: it counts as missing unless events carry it";
    1305 KQL_VALUE Warning "kql-value" "a value that the field's type cannot hold";
    1307 KQL_NULL Warning "kql-null" "`null` in KQL is no test for a missing field";
    1401 RULE_FORMAT Error "rule-format" "the file is not valid TOML, or not valid JSON";
    1402 RULE_FIELD_MISSING Error "rule-field-missing" "a field that the rule type requires is missing";
    1403 RULE_FIELD_INVALID Error "rule-field-invalid" "a field of the rule has a value it cannot have";
    1404 RULE_TYPE_UNKNOWN Error "rule-type-unknown" "a rule type that does not exist";
    1405 RULE_FIELD_UNKNOWN Warning "rule-field-unknown" "a field that rules do not have";
    1406 RULE_LANGUAGE Error "rule-language" "a query language that the rule type does not take";
    1407 RULE_DUPLICATE_ID Error "rule-duplicate-id" "two rules with the same id";
    1408 RULE_SCHEDULE Error "rule-schedule" "an interval, `from` or `to` that cannot be read";
    1409 RULE_FILE Error "rule-file" "the file cannot be read";
    1410 RULE_NOT_RUN Warning "rule-not-run" "the rule type is not run yet";
    1411 RULE_IGNORED Warning "rule-ignored" "the rule's field has no effect here";
    1412 RULE_SIZE Error "rule-size" "a rule file over the size limit";
    1413 RULE_FIELD_UNUSUAL Warning "rule-field-unusual" "a field of the rule has a value that Elastic's tools refuse";
    1414 RULE_NOT_A_RULE Warning "rule-not-a-rule" "a file or line that is no rule document, and was passed over";
    1415 RULE_LIMIT Error "rule-limit" "more rules, files or folders than the limits allow";
    1501 EXCEPTION_FORMAT Error "exception-format" "an exception list or item that cannot be read";
    1502 EXCEPTION_LIST_MISSING Warning "exception-list-missing" "a rule names an exception list that is not there";
    1503 EXCEPTION_ENTRY Error "exception-entry" "an exception entry that cannot be applied";
    1504 FILTER_UNSUPPORTED Error "filter-unsupported" "a filter that cannot be translated";
    1505 VALUE_LIST_MISSING Warning "value-list-missing" "an exception names a value list that is not there";
    1506 EXCEPTION_FIELD_UNKNOWN Warning "exception-field-unknown" "a field that exception lists and items do not have";
    1507 EXCEPTION_DUPLICATE Warning "exception-duplicate" "two exception lists or items with the same id";
    1508 EXCEPTION_NOT_APPLIED Warning "exception-not-applied" "an exception, or a value of its list, that the fields cannot have";
    1601 LINT_NEVER Warning "never-true" "a condition that no event can satisfy";
    1602 LINT_ALWAYS Warning "always-true" "a condition that every event satisfies";
    1603 LINT_DEAD_ALTERNATIVE Warning "dead-alternative" "an alternative that no event can satisfy where it stands";
    1604 LINT_CASE_TRAP Warning "case-trap" "a value that occurs in another case, where case counts";
    1605 LINT_WILDCARD_LITERAL Warning "wildcard-without-effect" "a star where it is no wildcard";
    1606 LINT_SEVERAL_VALUES Warning "several-values" "a condition that only holds for a field with several values";
    1607 LINT_EXCLUDES_NOTHING Warning "excludes-nothing" "exclusions joined with `or`, which exclude nothing";
    1608 LINT_DUPLICATE_ALTERNATIVE Warning "duplicate-alternative" "the same alternative twice";
    1609 LINT_COVERED_ALTERNATIVE Note "covered-alternative" "an alternative that another one covers";
    1610 LINT_REDUNDANT Note "redundant-condition" "a condition that others imply";
    1611 LINT_VALUE_TYPE Warning "value-type" "a comparison that the field's type gives another meaning, or none";
    1612 LINT_REGEX_TEXT Warning "regex-text" "the syntax of regular expressions where it has no meaning";
    1613 LINT_VALUE_UNKNOWN Warning "misspelt-value" "a value that ECS does not have, but a similar one";
    1614 LINT_LEADING_WILDCARD Note "leading-wildcard" "nothing selects events but patterns with a wildcard at both ends";
    1615 LINT_ONLY_EXCLUSIONS Note "only-exclusions" "nothing but exclusions: events without the fields match";
    1620 LINT_SEQUENCE_KEY Warning "sequence-without-key" "a sequence of events that need have nothing in common";
    1621 LINT_SEQUENCE_MAXSPAN Note "sequence-without-maxspan" "a sequence without a longest time";
    1622 LINT_MAXSPAN_LOOK_BACK Warning "maxspan-over-window" "a sequence that may take longer than the rule looks back";
    1623 LINT_INTERVAL_GAP Warning "interval-gap" "a rule that runs more seldom than it looks back";
    1624 LINT_NO_OVERLAP Note "no-overlap" "windows that do not overlap: late events are missed";
    1630 LINT_ATTACK_UNKNOWN Warning "attack-unknown" "a tactic or technique that ATT&CK does not have";
    1631 LINT_ATTACK_RETIRED Warning "attack-retired" "a technique that ATT&CK has taken back";
    1632 LINT_ATTACK_NAME Warning "attack-name" "a name that does not belong to the ATT&CK id";
    1633 LINT_ATTACK_PLACE Warning "attack-place" "a technique under a tactic or technique that it does not belong to";
    1634 LINT_ATTACK_LINK Warning "attack-link" "a reference that is not the page of the ATT&CK id";
    1640 LINT_LINK Warning "broken-link" "a reference that is no web address";
    1641 LINT_LINK_TWICE Warning "duplicate-link" "the same reference twice";
    1642 LINT_GUIDE_ANCHOR Warning "guide-anchor" "a link to a heading that the guide does not have";
    1643 LINT_GUIDE_PLUGIN Warning "guide-plugin" "a block of the investigation guide that Kibana cannot read";
    1650 LINT_DUPLICATE_NAME Warning "duplicate-name" "two rules with the same name";
    1651 LINT_DUPLICATE_QUERY Note "duplicate-query" "two rules with the same query over the same indices";
    1660 LINT_ALLOW_UNUSED Warning "allow-unused" "a diagnostic is switched off that is not there";
    1661 LINT_ALLOW_INVALID Warning "allow-invalid" "something is switched off that is no diagnostic, or an error";
    1670 DATA_FIELD_ABSENT Warning "field-absent" "a field that none of the rule's events has";
    1671 DATA_OTHER_CASE Warning "other-case" "a value that events only have in another case";
    1672 DATA_INDEX_EMPTY Warning "index-empty" "index patterns that choose none of the events";
    1673 DATA_VOLUME Warning "alert-volume" "more alerts a day than anyone will look at";
    1674 DATA_OFTEN_MISSING Note "often-missing" "an exclusion over a field that most events lack";
    1701 PLAN_TOO_LARGE Error "plan-too-large" "a query that compiles to more than the limits allow";
    1801 SPEC_BLOCK Error "spec-block" "a block or attribute that specs do not have, or not in this place";
    1802 SPEC_CONTENT Error "spec-content" "the content of a block cannot be read";
    1803 SPEC_LINK Error "spec-link" "a link that leads to no file that can be used";
    1804 SPEC_CASE Error "spec-case" "a case without what it needs: a rule, events, an expectation";
    1805 SPEC_OPTION Error "spec-option" "an option that specs do not have, or a value that it cannot have";
    1806 SPEC_LIMIT Error "spec-limit" "a spec file or case over a limit";
    1901 PROFILE_FORMAT Error "profile-format" "a profile that cannot be read, or of another version";
    1902 STATS_FORMAT Error "stats-format" "a file of stats that cannot be read, or without what rules cost";
    2001 ESQL_TOKEN Error "esql-token" "a character or literal that ES|QL does not know";
    2002 ESQL_SYNTAX Error "esql-syntax" "the ES|QL grammar expects something else here";
    2003 ESQL_NESTING Error "esql-nesting" "a query that is too long, or nested too deeply";
    2004 ESQL_UNSUPPORTED Error "esql-unsupported" "a command or parameter of ES|QL that is not run";
    2005 ESQL_UNKNOWN_INDEX Error "esql-unknown-index" "an index, lookup index or enrich policy that is not there";
    2006 ESQL_UNKNOWN_COLUMN Error "esql-unknown-column" "a column that is not there at this place of the query";
    2007 ESQL_UNKNOWN_FUNCTION Error "esql-unknown-function" "a function that ES|QL does not have";
    2008 ESQL_ARGUMENTS Error "esql-arguments" "a function called with the wrong number of arguments, or an unknown option";
    2009 ESQL_TYPE Error "esql-type" "an operand or argument of the wrong type";
    2010 ESQL_CONSTANT Error "esql-constant" "what must be the same for every row is not";
    2011 ESQL_PATTERN Error "esql-pattern" "a pattern, or a query inside the query, that cannot be read";
    2012 ESQL_AGGREGATE Error "esql-aggregate" "an aggregate outside of STATS, or a column outside of an aggregate";
    2013 ESQL_SETTING Error "esql-setting" "a setting that is not there, or a value that it cannot have";
    2014 ESQL_FIELD_UNMAPPED Warning "esql-field-unmapped" "no schema knows the field: it counts as a keyword without values";
    2101 STORE_NONE Error "store-none" "no store, or no table, where one should be";
    2102 STORE_DAMAGED Error "store-damaged" "a file of a store, or of Parquet, that cannot be read";
    2103 STORE_COLUMN Error "store-column" "a column of another type than it should have";
    2104 STORE_FILE_MISSING Error "store-file-missing" "a file is not there that a store says it has";
    2105 STORE_ACCESS Error "store-access" "a store that may not be read, or not be written";
    2106 STORE_FULL Error "store-full" "no space is left where a store is written";
    2107 STORE_MEMORY Error "store-memory" "more memory would be needed than is allowed";
    2108 STORE_CONFLICT Error "store-conflict" "another program changed the same table at the same time";
    2109 STORE_FORMAT Error "store-format" "a table in a form that this version cannot read or write";
    2110 STORE_ADDRESS Error "store-address" "an address of a store that cannot be used";
    2111 STORE_INCONSISTENT Error "store-inconsistent" "a file of a store that holds something else than its table says";
    2112 STORE_FAILED Error "store-failed" "a store that failed for another reason";
}

#[cfg(test)]
mod tests {
    use super::REGISTRY;

    #[test]
    fn numbers_and_names_are_unique_and_ordered() {
        for pair in REGISTRY.windows(2) {
            let (a, b) = (pair[0].info(), pair[1].info());
            assert!(a.number < b.number, "{} and {} are out of order", a.name, b.name);
        }
        let mut names: Vec<_> = REGISTRY.iter().map(|c| c.info().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), REGISTRY.len(), "a name is used twice");
    }
}
