//! Investigation guides for readers outside of Kibana: what its plugins stand for, written as Markdown.
//!
//! Kibana draws `!{osquery{…}}` and `!{investigate{…}}` (or the older `!{insight{…}}`) as buttons. Here they
//! become the query to run, or the search to make. A plugin that is not known, or cannot be read, stays as
//! it is.

use serde_json::Value;

/// The guide with its plugins written out.
///
/// ```
/// let text = r#"- !{investigate{"label":"Same host","providers":[[{"excluded":false,"field":"host.id","queryType":"phrase","value":"{{host.id}}","valueType":"string"}]]}}"#;
/// assert_eq!(
///     maxspan_rules::guide::readable(text),
///     "- **Investigate: Same host**, events with `host.id: \"{{host.id}}\"`"
/// );
/// ```
pub fn readable(guide: &str) -> String {
    let mut out = String::with_capacity(guide.len());
    let mut rest = guide;
    while let Some(at) = rest.find("!{") {
        out.push_str(&rest[..at]);
        let plugin = &rest[at..];
        let written = plugin_at(plugin)
            .and_then(|(name, table, length)| Some((written_out(name, &table, &margin(&out))?, length)));
        if let Some((text, length)) = written {
            out.push_str(&text);
            rest = &plugin[length..];
        } else {
            out.push_str("!{");
            rest = &plugin[2..];
        }
    }
    out.push_str(rest);
    out
}

/// Name, table and length of the plugin that the text begins with.
fn plugin_at(text: &str) -> Option<(&str, Value, usize)> {
    let inside = text.strip_prefix("!{")?;
    let name_length = inside.find(|c: char| !c.is_ascii_lowercase())?;
    let (name, after) = inside.split_at(name_length);
    let mut tables = serde_json::Deserializer::from_str(after).into_iter::<Value>();
    let table = tables.next()?.ok().filter(Value::is_object)?;
    let end = tables.byte_offset();
    after[end..].starts_with('}').then_some((name, table, 2 + name_length + end + 1))
}

/// What lines after the last one are indented by, to belong to the same point of a list.
fn margin(before: &str) -> String {
    let line = before.rsplit('\n').next().unwrap_or("");
    let blanks = line.len() - line.trim_start().len();
    let marker = line.trim_start();
    let marker = match marker.find(' ') {
        Some(end) if marker.starts_with(['-', '*']) || marker[..end].ends_with(['.', ')']) => end + 1,
        _ => 0,
    };
    " ".repeat(blanks + marker)
}

fn written_out(name: &str, table: &Value, margin: &str) -> Option<String> {
    let text = |key: &str| table.get(key).and_then(Value::as_str);
    match name {
        "osquery" => {
            let query = text("query")?.replace('\n', &format!("\n{margin}"));
            let label = text("label").unwrap_or("query");
            // Labels often say once more what they are.
            let label = label.strip_prefix("Osquery - ").unwrap_or(label);
            Some(format!("**Osquery: {label}**\n\n{margin}```sql\n{margin}{query}\n{margin}```\n"))
        }
        "investigate" | "insight" => {
            let mut out = format!("**Investigate: {}**", text("label").unwrap_or("events"));
            if let Some(description) = text("description").filter(|text| !text.trim().is_empty()) {
                out += &format!(" ({})", description.trim().trim_end_matches('.'));
            }
            out += &format!(", events with {}", providers(table.get("providers")?)?);
            match (text("relativeFrom"), text("relativeTo")) {
                (Some(from), Some(to)) => out += &format!(", from `{from}` to `{to}`"),
                (Some(from), None) => out += &format!(", from `{from}`"),
                _ => {}
            }
            Some(out)
        }
        _ => None,
    }
}

/// Lists of conditions that hold together; the lists are alternatives.
fn providers(value: &Value) -> Option<String> {
    let alternatives = value.as_array().filter(|alternatives| !alternatives.is_empty())?;
    let many = alternatives.len() > 1;
    let written = alternatives.iter().map(|group| {
        let conditions = group.as_array()?.iter().map(condition).collect::<Option<Vec<_>>>()?;
        let joined = conditions.join(" and ");
        Some(if many && conditions.len() > 1 { format!("({joined})") } else { joined })
    });
    Some(format!("`{}`", written.collect::<Option<Vec<_>>>()?.join(" or ")))
}

fn condition(provider: &Value) -> Option<String> {
    let field = provider.get("field")?.as_str()?;
    let not = if provider.get("excluded") == Some(&Value::Bool(true)) { "not " } else { "" };
    let value = provider.get("value").map_or(String::new(), |value| match value {
        Value::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    });
    Some(match provider.get("queryType").and_then(Value::as_str) {
        Some("exists") => format!("{not}{field}: *"),
        _ => format!("{not}{field}: {value}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_written_out() {
        let check = |guide: &str, expected: &str| assert_eq!(readable(guide), expected, "{guide}");
        check(
            "1. Look:\n - !{osquery{\"label\":\"DNS\",\"query\":\"SELECT 1\\nFROM x\"}}\nnext",
            "1. Look:\n - **Osquery: DNS**\n\n   ```sql\n   SELECT 1\n   FROM x\n   ```\n\nnext",
        );
        check(
            "!{insight{\"label\":\"L\",\"description\":\"D.\",\"providers\":[[{\"field\":\"a\",\"value\":1,\"excluded\":true},\
             {\"field\":\"b\",\"queryType\":\"exists\"}],[{\"field\":\"c\",\"value\":\"x\"}]],\"relativeFrom\":\"now-1h\"}}.",
            "**Investigate: L** (D), events with `(not a: 1 and b: *) or c: \"x\"`, from `now-1h`.",
        );
        check("a !{b", "a !{b");
        check("!{osquery{broken}} !{", "!{osquery{broken}} !{");
        check("!{other{\"a\":1}}", "!{other{\"a\":1}}");
        check("!{osquery{\"label\":\"no query\"}}", "!{osquery{\"label\":\"no query\"}}");
        check("ö !{ü", "ö !{ü");
    }
}
