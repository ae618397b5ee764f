//! The reader of inputs: any bytes give the same items in one piece and in many, one by one and in batches, and all are
//! counted.
//!
//! The first byte chooses the limits, so that small inputs reach them; the second one the sizes of pieces.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use maxspan_pipeline::input::{Batch, BatchItem, InputOptions, Item, Reader};
use maxspan_pipeline::limits::InputLimits;

fuzz_target!(|data: &[u8]| {
    let [limits, sizes, input @ ..] = data else { return };
    let options = InputOptions { limits: limits_of(*limits) };
    let whole = items(Cursor::new(input.to_vec()), options);
    let size = if *sizes < 8 { usize::from(*sizes) + 1 } else { usize::from(*sizes) * 16 };
    let pieces = items(Pieces { input: input.to_vec(), at: 0, size }, options);
    assert_eq!(whole, pieces);
    assert_eq!(whole, batched(input.to_vec(), options));
});

fn batched(input: Vec<u8>, options: InputOptions) -> Vec<Item> {
    let mut reader = Reader::of_bytes("input", Cursor::new(input), options);
    let (mut batch, mut items) = (Batch::default(), Vec::new());
    while reader.batch(&mut batch) {
        items.extend(batch.iter().map(|item| match item {
            BatchItem::Event(event) => Item::Event(event.to_raw()),
            BatchItem::Problem(problem) => Item::Problem(problem.clone()),
        }));
    }
    items
}

fn limits_of(choice: u8) -> InputLimits {
    if choice < 128 {
        // What a bomb gives is bounded early, so that a run stays short.
        return InputLimits { expansion_bytes_free: 1 << 20, ..InputLimits::default() };
    }
    InputLimits {
        document_bytes_max: 16 << (choice & 7),
        document_depth_max: 1 + usize::from(choice >> 3 & 3),
        array_depth_max: usize::from(choice >> 5 & 3),
        expansion_ratio_max: 20,
        expansion_bytes_free: 1 << 12,
        batch_bytes: 1 << (choice & 7),
    }
}

fn items(bytes: impl Read + Send + 'static, options: InputOptions) -> Vec<Item> {
    let mut reader = Reader::of_bytes("input", bytes, options);
    let mut items = Vec::new();
    let mut problems = 0;
    for item in reader.by_ref() {
        match &item {
            Item::Event(event) => {
                // An event fits its limit, but for what is allowed around it on its line.
                assert!(event.source.len() <= options.limits.document_bytes_max, "{}", event.source.len());
                assert!(event.location.line > 0);
            }
            Item::Problem(problem) => {
                problems += 1;
                assert!(!problem.message.is_empty());
            }
        }
        items.push(item);
    }
    let counts = reader.counts();
    assert_eq!(counts.problems().map(|(_, count)| count).sum::<u64>(), problems);
    assert_eq!(counts.events + problems, items.len() as u64);
    items
}

/// Gives at most `size` bytes at a time.
struct Pieces {
    input: Vec<u8>,
    at: usize,
    size: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.input[self.at..];
        let count = rest.len().min(self.size).min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
