//! How conditions are joined.

use super::{Form, Group, no, yes};

pub(super) const GROUP: Group = Group {
    title: "Joining conditions",
    about: "The words are read in any case of letters. `not` binds tighter than `and`, and `and` tighter than `or`.",
    forms: &[&AND, &OR, &NOT, &PARENTHESES],
};

static AND: Form = Form {
    form: "a and b",
    summary: "Both match.",
    examples: &[
        yes("process.name: curl AND process.pid: 7", r#"{"process": {"name": "curl", "pid": 7}}"#),
        no("process.name: curl and process.pid: 8", r#"{"process": {"name": "curl", "pid": 7}}"#),
    ],
};

static OR: Form = Form {
    form: "a or b",
    summary: "One of them matches.",
    examples: &[
        yes("process.name: curl or process.pid: 7", r#"{"process.pid": 7}"#),
        yes(
            "process.pid: 7 or process.pid: 8 and process.name: curl",
            r#"{"process": {"name": "wget", "pid": 7}}"#,
        ),
    ],
};

static NOT: Form = Form {
    form: "not a",
    summary: "It does not match: no value of the field satisfies it, or the field is missing.",
    examples: &[
        yes("not process.pid: 7", "{}"),
        no("not process.args: -k", r#"{"process.args": ["curl", "-k"]}"#),
        yes("not process.pid > 7", "{}"),
        no("not process.name: curl and process.pid: 7", r#"{"process": {"name": "curl", "pid": 7}}"#),
    ],
};

static PARENTHESES: Form = Form {
    form: "( a )",
    summary: "Comes first.",
    examples: &[no(
        "(process.pid: 7 or process.pid: 8) and process.name: curl",
        r#"{"process": {"name": "wget", "pid": 7}}"#,
    )],
};
