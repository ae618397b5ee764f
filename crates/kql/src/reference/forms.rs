//! Single conditions.

use super::{Form, Group, no, yes};

pub(super) const GROUP: Group = Group {
    title: "Conditions",
    about: "A condition means *any* value of the field. A missing field satisfies none, so its negation holds.",
    forms: &[
        &VALUE,
        &QUOTED,
        &WILDCARD,
        &PRESENCE,
        &RANGE,
        &LIST,
        &NESTED,
        &FREE_TEXT,
        &FIELD_WILDCARD,
        &NULL,
    ],
};

static VALUE: Form = Form {
    form: "field: value",
    summary: "Some value of the field equals it; what *equals* means depends on the [type](#types). An unquoted value runs \
              to the next special character or keyword. `\\` takes away the meaning of `\\ ( ) : < > \" * { }`.",
    examples: &[
        yes("process.name: curl", r#"{"process.name": "curl"}"#),
        no("process.name: curl", r#"{"process.name": "CURL"}"#),
        yes("process.args: -k", r#"{"process.args": ["curl", "-k"]}"#),
        no("process.name: curl", "{}"),
        yes("process.title: brown fox", r#"{"process.title": "brown fox"}"#),
        yes(r"process.name: a\*b", r#"{"process.name": "a*b"}"#),
        yes(r"file.path: C\:\\Temp", r#"{"file.path": "C:\\Temp"}"#),
    ],
};

static QUOTED: Form = Form {
    form: "field: \"quoted value\"",
    summary: "The same; a star in quotes is a star. For text, the words in this order.",
    examples: &[
        yes("process.name: \"curl\"", r#"{"process.name": "curl"}"#),
        no("process.name: \"cur*\"", r#"{"process.name": "curl"}"#),
        yes("message: \"brown fox\"", r#"{"message": "The quick brown fox"}"#),
        no("message: \"fox brown\"", r#"{"message": "The quick brown fox"}"#),
        yes(r#"process.title: "say \"hi\"""#, r#"{"process.title": "say \"hi\""}"#),
    ],
};

static WILDCARD: Form = Form {
    form: "field: val*",
    summary: "`*` is any run of characters. There is no `?`. The pattern has to fit the whole value.",
    examples: &[
        yes("process.name: cur*", r#"{"process.name": "curl"}"#),
        yes("process.name: *u*l", r#"{"process.name": "curl"}"#),
        no("process.name: ur*", r#"{"process.name": "curl"}"#),
        no("process.name: c?rl", r#"{"process.name": "curl"}"#),
    ],
};

static PRESENCE: Form = Form {
    form: "field: *",
    summary: "The field is there; for an object, some value below it.",
    examples: &[
        yes("process.name: *", r#"{"process.name": ""}"#),
        no("process.name: *", r#"{"process.name": []}"#),
        yes("process.parent: *", r#"{"process.parent.name": "launchd"}"#),
        yes("not process.name: *", r#"{"process.name": null}"#),
    ],
};

static RANGE: Form = Form {
    form: "field > value",
    summary: "Also `<`, `<=`, `>=`: some value stands so to the other, in the order of the type.",
    examples: &[
        yes("process.pid > 5", r#"{"process.pid": 7}"#),
        yes("process.pid >= 5 and process.pid < 10", r#"{"process.pid": 7}"#),
        no("process.pid <= 5", r#"{"process.pid": 7}"#),
        no("process.pid > 5", "{}"),
    ],
};

static LIST: Form = Form {
    form: "field: (a or b)",
    summary: "The condition for each value, joined by `or`, `and` and `not`. With `and`, each may be met by another value of \
              the field.",
    examples: &[
        yes("process.name: (curl or wget)", r#"{"process.name": "wget"}"#),
        yes("user.name: (ann and bob)", r#"{"user.name": ["ann", "bob"]}"#),
        no("user.name: (ann and not bob)", r#"{"user.name": ["ann", "bob"]}"#),
        yes("process.name: (cur* or \"wget\")", r#"{"process.name": "curl"}"#),
    ],
};

static NESTED: Form = Form {
    form: "path: { … }",
    summary: "One object of the array meets the whole condition by itself. Inner names are relative to the path.",
    examples: &[
        yes(
            "file.elf.sections: { name: .text and physical_size > 5 }",
            r#"{"file": {"elf": {"sections": [{"name": ".text", "physical_size": 9}, {"name": ".data"}]}}}"#,
        ),
        no(
            "file.elf.sections: { name: .data and physical_size > 5 }",
            r#"{"file": {"elf": {"sections": [{"name": ".text", "physical_size": 9}, {"name": ".data"}]}}}"#,
        ),
        yes(
            "file.elf.sections.name: .data and file.elf.sections.physical_size > 5",
            r#"{"file": {"elf": {"sections": [{"name": ".text", "physical_size": 9}, {"name": ".data"}]}}}"#,
        ),
    ],
};

static FREE_TEXT: Form = Form {
    form: "value",
    summary: "Free text: some field has the value. Nothing at all, or `*`, is every event.",
    examples: &[
        yes("fox", r#"{"message": "The quick brown fox"}"#),
        yes("curl", r#"{"process": {"name": "curl"}}"#),
        no("curl", r#"{"process": {"name": "curl.exe"}}"#),
        yes("7", r#"{"process.pid": 7}"#),
        yes("*", "{}"),
        yes("", "{}"),
    ],
};

static FIELD_WILDCARD: Form = Form {
    form: "fie*.name: value",
    summary: "Some field whose name fits has the value.",
    examples: &[
        yes("process.*: curl", r#"{"process.parent.name": "curl"}"#),
        yes("*.pid > 5", r#"{"process.parent.pid": 7}"#),
        no("process.*: curl", r#"{"file.name": "curl"}"#),
    ],
};

static NULL: Form = Form {
    form: "field: null",
    summary: "Matches nothing, with a warning (`MX1307`): write `not field: *`.",
    examples: &[
        no("process.name: null", "{}"),
        no("process.name: null", r#"{"process.name": "null"}"#),
        yes("process.name: \"null\"", r#"{"process.name": "null"}"#),
    ],
};
