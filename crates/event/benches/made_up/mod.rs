//! Made-up events for benchmarks: the same number gives the same event.
//!
//! Each kind has what decoders find hard in real ones: long texts with many escapes, objects in arrays, fields that no
//! rule names between those that rules name.

/// Makes the event of a number.
pub(crate) type MakeUp = fn(usize) -> String;

/// The kinds of events.
pub(crate) const KINDS: [(&str, MakeUp); 4] =
    [("process", process), ("registry", registry), ("network", network), ("cloud", cloud)];

/// Events of all kinds in turns.
#[allow(dead_code, reason = "some benchmarks take one kind at a time")]
pub(crate) fn mixed(count: usize) -> Vec<String> {
    (0..count).map(|number| KINDS[number % KINDS.len()].1(number)).collect()
}

/// The begin of an event of a Windows machine.
fn windows(number: usize, category: &str, kind: &str, code: usize) -> String {
    let (second, host) = (number % 60, number % 7);
    format!(
        r#"{{"@timestamp":"2026-01-01T00:00:{second:02}.123Z","ecs":{{"version":"8.11.0"}},"agent":{{"type":"winlogbeat","id":"a{host}"}},"event":{{"kind":"event","category":["{category}"],"type":["{kind}"],"code":"{code}","provider":"Made-Up-Provider","created":"2026-01-01T00:00:{second:02}.456Z"}},"host":{{"id":"host-{host}","name":"machine{host}.example.net","os":{{"type":"windows","family":"windows","platform":"windows"}}}},"user":{{"id":"S-1-5-21-1-2-3-{host}","name":"user{host}","domain":"EXAMPLE"}},"#
    )
}

/// What a shipper keeps of an event beside its fields: a text, and the raw data, most of it twice.
fn raw(number: usize, lines: &[(&str, String)]) -> String {
    let message: String = lines.iter().map(|(name, value)| format!(r"{name}: {value}\r\n")).collect();
    let data: Vec<String> = lines.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    format!(
        r#""message":"Made up:\r\n{message}","winlog":{{"channel":"Made-Up/Operational","record_id":"{number}","process":{{"pid":{number},"thread":{{"id":42}}}},"event_data":{{{}}}}}}}"#,
        data.join(",")
    )
}

fn process(number: usize) -> String {
    let folder = format!(r"C:\\Program Files\\Tool {number}\\bin");
    let command = format!(r#"\"{folder}\\tool{number}.exe\" --input C:\\Data\\{number}.txt --verbose"#);
    let fields = format!(
        r#""process":{{"pid":{number},"entity_id":"{{entity-{number}}}","name":"tool{number}.exe","executable":"{folder}\\tool{number}.exe","args":["{folder}\\tool{number}.exe","--input","C:\\Data\\{number}.txt","--verbose"],"args_count":4,"command_line":"{command}","working_directory":"C:\\Windows\\system32\\","hash":{{"sha256":"{number:064x}"}},"pe":{{"original_file_name":"tool.exe","company":"Example"}},"parent":{{"pid":{},"entity_id":"{{entity-{}}}","name":"shell.exe","executable":"C:\\Windows\\shell.exe","args":["shell.exe"]}}}},"#,
        number / 3,
        number / 3,
    );
    let lines = [
        ("Image", format!(r"{folder}\\tool{number}.exe")),
        ("CommandLine", command),
        ("CurrentDirectory", r"C:\\Windows\\system32\\".to_owned()),
        ("Hashes", format!("SHA256={number:064x}")),
        ("ParentImage", r"C:\\Windows\\shell.exe".to_owned()),
        ("Description", "a made-up program that does nothing at all ".repeat(8)),
    ];
    windows(number, "process", "start", 1) + &fields + &raw(number, &lines)
}

fn registry(number: usize) -> String {
    let path = format!(r"HKLM\\Software\\Example\\Versions\\{number}\\Settings\\Value{}", number % 11);
    let fields = format!(
        r#""process":{{"pid":{number},"entity_id":"{{entity-{number}}}","name":"settings.exe","executable":"C:\\Windows\\settings.exe"}},"registry":{{"hive":"HKLM","path":"{path}","value":"Value{}","data":{{"type":"SZ_DWORD","strings":["0x{number:08x}"]}}}},"#,
        number % 11,
    );
    let lines = [
        ("EventType", "SetValue".to_owned()),
        ("Image", r"C:\\Windows\\settings.exe".to_owned()),
        ("TargetObject", path),
        ("Details", format!("DWORD (0x{number:08x})")),
    ];
    windows(number, "registry", "change", 13) + &fields + &raw(number, &lines)
}

fn network(number: usize) -> String {
    let address = format!("198.51.100.{}", number % 250);
    let fields = format!(
        r#""process":{{"pid":{number},"name":"browser.exe","executable":"C:\\Program Files\\Browser\\browser.exe"}},"source":{{"ip":"192.0.2.7","port":{}}},"destination":{{"ip":"{address}","port":443,"domain":"host{number}.example.net"}},"network":{{"direction":"egress","transport":"tcp","type":"ipv4"}},"dns":{{"question":{{"name":"host{number}.example.net","type":"A"}},"resolved_ip":["{address}","203.0.113.9"]}},"#,
        40_000 + number % 20_000,
    );
    let lines = [("DestinationIp", address), ("Initiated", "true".to_owned())];
    windows(number, "network", "connection", 3) + &fields + &raw(number, &lines)
}

fn cloud(number: usize) -> String {
    let role = |part: usize| {
        format!(
            r#"{{"arn":"arn:example:iam::{number:012}:role/role-{part}","actions":["example:Get*","example:List{part}"],"conditions":[{{"key":"region","values":["eu-1","eu-2"]}}],"since":1767225600{part}}}"#
        )
    };
    let roles: Vec<String> = (0..6).map(role).collect();
    format!(
        r#"{{"@timestamp":"2026-01-01T00:01:{:02}Z","event":{{"kind":"event","category":["iam","configuration"],"type":["change"],"action":"Action{}","provider":"iam.example.net","outcome":"success","dataset":"example.audit","original":"{{\"eventName\":\"Action\",\"number\":{number},\"note\":\"{}\"}}"}},"data_stream":{{"type":"logs","dataset":"example.audit","namespace":"default"}},"cloud":{{"provider":"example","region":"eu-1","account":{{"id":"{number:012}"}}}},"source":{{"ip":"203.0.113.{}","geo":{{"location":{{"lat":52.5,"lon":13.4}},"country_iso_code":"DE"}}}},"user":{{"name":"admin{}","roles":["reader","writer"]}},"user_agent":{{"original":"example-cli/{} (linux)"}},"example":{{"audit":{{"request_parameters":{{"roles":[{}]}},"flags":[true,false,null,1.5e3]}}}},"tags":["forwarded","audit"]}}"#,
        number % 60,
        number % 40,
        r#"tab\tand \u00e9 and quote\\\" "#.repeat(12),
        number % 250,
        number % 5,
        number % 3,
        roles.join(","),
    )
}
