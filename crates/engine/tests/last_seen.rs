//! What was last seen is what a plain map says, whatever comes; and stored bytes are read as they were written, or not.

use std::collections::HashMap;
use std::io::Cursor;

use maxspan_engine::{LastSeen, SeenError};
use maxspan_event::identity;
use proptest::prelude::*;

/// What is done to both.
#[derive(Debug, Clone)]
enum Step {
    Put(u64, i64),
    /// So many new things at a time, from a number on.
    Many(u64, u16, i64),
    Forget(i64),
    Compact,
    Store,
}

/// Times near each other, far apart, before 1970, and at both ends.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0..4_000_i64,
        2 => -5_000_000_000..5_000_000_000_i64,
        1 => any::<i64>(),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX)],
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..600_u64, time()).prop_map(|(thing, time)| Step::Put(thing, time)),
        3 => (0..20_000_u64, 1..1_500_u16, time()).prop_map(|(from, count, time)| Step::Many(from, count, time)),
        // Later times often, so that something is left.
        1 => (-6_000_000_000..2_000_i64).prop_map(Step::Forget),
        1 => Just(Step::Compact),
        1 => Just(Step::Store),
    ]
}

/// Both, side by side.
struct Pair {
    seen: LastSeen,
    model: HashMap<u64, i64>,
    before: i64,
}

impl Pair {
    fn new() -> Self {
        Self { seen: LastSeen::new(7), model: HashMap::new(), before: i64::MIN }
    }

    fn put(&mut self, thing: u64, time: i64) {
        let earlier = self.model.insert(thing, time).filter(|time| *time >= self.before);
        assert_eq!(self.seen.put(digest(thing), time), Ok(earlier), "{thing}");
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Put(thing, time) => self.put(thing, time),
            Step::Many(from, count, time) => {
                for thing in from..from + u64::from(count) {
                    self.put(thing, time.wrapping_add((thing % 7) as i64));
                }
            }
            Step::Forget(time) => {
                self.before = self.before.max(time);
                self.seen.forget_before(time);
            }
            Step::Compact => {
                self.seen.compact();
                let left = self.model.values().filter(|time| **time >= self.before).count();
                assert_eq!(self.seen.stored(), left);
            }
            Step::Store => self.seen = read(&written(&self.seen)).expect("what was written can be read"),
        }
    }

    fn compare(&self, things: u64) {
        for thing in 0..things {
            let wanted = self.model.get(&thing).copied().filter(|time| *time >= self.before);
            assert_eq!(self.seen.get(digest(thing)), wanted, "{thing}");
        }
    }
}

/// As evenly spread as [`LastSeen::digest`], and quicker.
fn digest(thing: u64) -> u128 {
    u128::from(thing + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
}

fn written(seen: &LastSeen) -> Vec<u8> {
    let mut bytes = Vec::new();
    seen.write_to(&mut bytes).expect("a vector takes bytes");
    bytes
}

fn read(bytes: &[u8]) -> Result<LastSeen, SeenError> {
    LastSeen::read_from(&mut Cursor::new(bytes), usize::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn it_says_what_a_map_says(steps in proptest::collection::vec(step(), 0..40)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.step(step);
        }
        pair.compare(21_500);
    }
}

#[test]
fn many_segments_say_what_a_map_says() {
    let mut pair = Pair::new();
    for round in 0..3 {
        for thing in 0..70_000_u64 {
            pair.put(thing.wrapping_mul(round + 1), (thing / 100) as i64 + 5_000 * round as i64);
        }
        pair.seen.forget_before(5_000 * round as i64 - 4_000);
        pair.before = 5_000 * round as i64 - 4_000;
        pair.step(&Step::Store);
        pair.step(&Step::Compact);
    }
    pair.compare(150_000);
}

#[test]
fn bytes_are_what_it_takes() {
    let check = |things: u64, bytes_of_each: usize, fixed: usize| {
        let mut seen = LastSeen::new(0);
        for thing in 0..things {
            seen.put(digest(thing), (thing * 4_000 / things) as i64).unwrap();
        }
        assert_eq!(seen.stored() as u64, things);
        let most = fixed + bytes_of_each * things as usize;
        assert!(seen.bytes() <= most, "{things}: {} bytes, at most {most}", seen.bytes());
    };
    check(0, 0, 400);
    check(1, 0, 600);
    check(100, 32, 600);
    check(1_000, 16, 6_000);
    check(10_000, 12, 6_000);
    check(150_000, 11, 6_000);
}

#[test]
fn memory_of_what_is_forgotten_is_free_again() {
    let mut seen = LastSeen::new(0);
    let empty = seen.bytes();
    for thing in 0..50_000_u64 {
        seen.put(digest(thing), thing as i64).unwrap();
    }
    seen.forget_before(50_000);
    assert!(seen.bytes() > 400_000);
    seen.compact();
    assert_eq!(seen.stored(), 0);
    assert!(seen.bytes() < empty + 2_000, "{}", seen.bytes());
}

#[test]
fn digests_that_are_not_spread_are_full_at_the_limit_and_never_wrong() {
    let mut seen = LastSeen::new(0);
    let digest = |number: u128| 1 << 127 | number << 80;
    let refused = (0..70_000).filter(|number| seen.put(digest(*number), 1).is_err()).count();
    assert_eq!(refused, 70_000 - 65_535);
    let found = (0..70_000).filter(|number| seen.get(digest(*number)).is_some()).count();
    assert_eq!(found, 65_535);
}

/// A few things, and many.
fn samples() -> [LastSeen; 3] {
    [0_u64, 3, 700].map(|things| {
        let mut seen = LastSeen::new(3);
        for thing in 0..things {
            seen.put(digest(thing), thing as i64 * 1_000 - 5_000).unwrap();
        }
        seen
    })
}

#[test]
fn bytes_that_are_cut_off_are_refused() {
    for seen in samples() {
        let bytes = written(&seen);
        for length in 0..bytes.len() {
            let error = read(&bytes[..length]).expect_err("something is missing");
            assert!(matches!(error, SeenError::Cut), "{length} of {}: {error}", bytes.len());
        }
    }
}

#[test]
fn bytes_that_were_changed_are_refused() {
    for seen in samples() {
        let mut bytes = written(&seen);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes).is_err(), "bit {bit} of {} bytes", bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(read(&bytes).is_ok());
    }
}

/// What somebody would write who knows the format: a head, and blocks with the right checksums.
fn sealed(segments: u64, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"mx-seen\n\0\0\0\x01".to_vec();
    let mut checksum = identity::digest(&bytes);
    let mut content = vec![0; 24];
    content.extend(segments.to_be_bytes());
    content.extend(rest);
    for block in [content.as_slice(), &[]] {
        checksum = identity::keyed_digest(checksum, block);
        bytes.extend((block.len() as u32).to_be_bytes());
        bytes.extend(block);
        bytes.extend(checksum.to_be_bytes());
    }
    bytes
}

/// A segment of one entry with this hash and a distance of a byte.
fn segment_of(hash: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1];
    bytes.extend([0; 9]);
    bytes.extend([hash, 5]);
    bytes
}

#[test]
fn what_is_sealed_is_checked_too() {
    let check = |segments: u64, rest: &[Vec<u8>], expected: bool| {
        assert_eq!(read(&sealed(segments, &rest.concat())).is_ok(), expected, "{segments} {rest:?}");
    };
    check(1, &[segment_of(3)], true);
    check(2, &[segment_of(4), segment_of(3)], true);
    check(3, &[segment_of(4), segment_of(3), segment_of(2)], true);
    // In another segment than its own; missing; more than said; none at all.
    check(2, &[segment_of(3), segment_of(4)], false);
    check(2, &[segment_of(4)], false);
    check(1, &[segment_of(4), segment_of(3)], false);
    check(0, &[], false);
    check(u64::MAX, &[segment_of(0), segment_of(1)], false);
}

proptest! {
    /// Right checksums say nothing about what is in the blocks.
    #[test]
    fn sealed_bytes_never_panic(segments in 0..5_u64, rest in proptest::collection::vec(0..3_u8, 0..200)) {
        if let Ok(seen) = read(&sealed(segments, &rest)) {
            prop_assert!(seen.stored() <= rest.len());
        }
    }
}

#[test]
fn errors_say_what_to_do() {
    let [.., seen] = samples();
    let bytes = written(&seen);
    let check = |change: &dyn Fn(&mut Vec<u8>), bytes_max: usize, expected: &str| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        let read = LastSeen::read_from(&mut Cursor::new(bytes), bytes_max);
        assert_eq!(read.expect_err(expected).to_string(), expected);
    };
    check(&|bytes| bytes[0] = b'{', usize::MAX, "this is not what was last seen; is it another file?");
    check(
        &|bytes| bytes[11] = 2,
        usize::MAX,
        "what was last seen is stored in version 2, and this program reads version 1; use the program that wrote it, \
         or delete it, and read the history again",
    );
    check(
        &|bytes| bytes.truncate(100),
        usize::MAX,
        "what was last seen is cut off; delete it, and read the history again",
    );
    check(
        &|bytes| bytes[100] ^= 1,
        usize::MAX,
        "what was last seen was changed after it was written; delete it, and read the history again",
    );
    check(
        &|_| {},
        1_000,
        "what was last seen takes more memory than it may; allow more, or delete it, and read the history again",
    );
}
