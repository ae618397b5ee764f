//! Work on the batches of an input, by one thread or several, with the same outcome.
//!
//! All threads do the same: take the next batch under a lock, work on it, and put what comes out by its number. The
//! calling thread does so too, and hands on what is there in the order of the numbers; so whoever takes it need not be
//! shared between threads. Reading, cutting and decompression happen under the lock, while others work on the batches
//! before. Who is too far ahead of the rest waits, so that memory does not grow with the input.
//!
//! A panic of any thread ends the others after their batch, and is that of the caller.

use std::collections::BTreeMap;
use std::hint;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};

use crate::input::{Batch, Progress, Reader};
use crate::limits::{
    BATCHES_WAITING_MAX, INPUT_TRIES_MAX, PAUSES_BETWEEN_TRIES, THREAD_STACK_BYTES, THREADS_MAX,
};

/// Works on all that `reader` gives, with a thread for each of `states`, and hands on what `work` makes of each batch
/// in the order of the input. With one state no thread is started.
pub(crate) fn in_order<S: Send, O: Send>(
    reader: &mut Reader,
    states: &mut [S],
    work: impl Fn(&mut S, &Batch) -> O + Sync,
    take: impl FnMut(O, Progress),
) {
    in_order_until(&AtomicBool::new(false), reader, states, work, take);
}

/// The same; no more is read once `enough` is set, and what was read is handed on.
pub(crate) fn in_order_until<S: Send, O: Send>(
    enough: &AtomicBool,
    reader: &mut Reader,
    states: &mut [S],
    work: impl Fn(&mut S, &Batch) -> O + Sync,
    mut take: impl FnMut(O, Progress),
) {
    let [own, others @ ..] = states else { return };
    let mut batch = Batch::default();
    if others.is_empty() {
        while !enough.load(Ordering::Relaxed) && reader.batch(&mut batch) {
            take(work(own, &batch), batch.progress());
        }
        return;
    }
    let shared = Shared::new(reader, others.len(), enough);
    let (shared, work) = (&shared, &work);
    thread::scope(|scope| {
        // Should the caller's own part panic, the others must not go on.
        let _stop = StopOnPanic(shared);
        let threads: Vec<_> = others
            .iter_mut()
            .take(THREADS_MAX)
            .filter_map(|state| start(scope, shared, state, work))
            .collect();
        let mut number = 0;
        while let Some(own_number) = shared.next(&mut batch) {
            shared.put(own_number, work(own, &batch), batch.progress());
            shared.hand_on(&mut number, &mut take);
        }
        shared.hand_on_until_all_left(&mut number, &mut take);
        for thread in threads {
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
        shared.hand_on(&mut number, &mut take);
    });
}

/// Starts a thread; none where the system gives no more, so that those that are there do the work.
fn start<'scope, S: Send, O: Send>(
    scope: &'scope Scope<'scope, '_>,
    shared: &'scope Shared<'_, O>,
    state: &'scope mut S,
    work: &'scope (impl Fn(&mut S, &Batch) -> O + Sync),
) -> Option<ScopedJoinHandle<'scope, ()>> {
    let builder = Builder::new().name("worker".to_owned()).stack_size(THREAD_STACK_BYTES);
    shared.lock().working += 1;
    let thread = builder.spawn_scoped(scope, move || {
        let _leave = Leave(shared);
        let mut batch = Batch::default();
        while let Some(number) = shared.next(&mut batch) {
            shared.put(number, work(state, &batch), batch.progress());
            shared.wait_for_room();
        }
    });
    if thread.is_err() {
        shared.lock().working -= 1;
    }
    thread.ok()
}

/// What the threads share.
struct Shared<'a, O> {
    /// No more is to be read.
    enough: &'a AtomicBool,
    input: Mutex<Numbered<'a>>,
    results: Mutex<Results<O>>,
    /// Results were put, or a thread left.
    put: Condvar,
    /// Results were taken, or all is to stop.
    taken: Condvar,
    waiting_max: usize,
}

/// The input, and the number of its next batch.
struct Numbered<'a> {
    reader: &'a mut Reader,
    number: u64,
}

struct Results<O> {
    waiting: BTreeMap<u64, (O, Progress)>,
    /// Threads that run, without the caller's.
    working: usize,
    /// A thread panicked.
    stopped: bool,
    /// Whether the caller sleeps until results are put. Who sleeps is woken by the system, which is asked for nothing
    /// while nobody does.
    caller_sleeps: bool,
    /// Threads that sleep until results are taken.
    others_sleep: usize,
}

impl<'a, O> Shared<'a, O> {
    fn new(reader: &'a mut Reader, others: usize, enough: &'a AtomicBool) -> Self {
        let results = Results {
            waiting: BTreeMap::new(),
            working: 0,
            stopped: false,
            caller_sleeps: false,
            others_sleep: 0,
        };
        Self {
            enough,
            input: Mutex::new(Numbered { reader, number: 0 }),
            results: Mutex::new(results),
            put: Condvar::new(),
            taken: Condvar::new(),
            waiting_max: BATCHES_WAITING_MAX * (others + 1),
        }
    }

    /// Reads the next batch; its number, or none at the end of the input and after a panic.
    fn next(&self, batch: &mut Batch) -> Option<u64> {
        let mut input = self.input()?;
        let ended = self.lock().stopped || self.enough.load(Ordering::Relaxed);
        if ended || !input.reader.batch(batch) {
            return None;
        }
        input.number += 1;
        Some(input.number - 1)
    }

    /// The input; none after a panic of whoever read, which left a reader that must not be used. Others hold it for less
    /// time than it takes to sleep and be woken, so that is tried first.
    fn input(&self) -> Option<MutexGuard<'_, Numbered<'a>>> {
        for _ in 0..INPUT_TRIES_MAX {
            match self.input.try_lock() {
                Ok(input) => return Some(input),
                Err(TryLockError::Poisoned(_)) => return None,
                Err(TryLockError::WouldBlock) => (0..PAUSES_BETWEEN_TRIES).for_each(|_| hint::spin_loop()),
            }
        }
        self.input.lock().ok()
    }

    fn put(&self, number: u64, outcome: O, progress: Progress) {
        let mut results = self.lock();
        results.waiting.insert(number, (outcome, progress));
        if results.caller_sleeps {
            self.put.notify_one();
        }
    }

    /// Waits while too many results have not been taken.
    fn wait_for_room(&self) {
        let full = |results: &mut Results<O>| results.waiting.len() >= self.waiting_max && !results.stopped;
        let mut results = self.lock();
        if !full(&mut results) {
            return;
        }
        results.others_sleep += 1;
        let woken = self.taken.wait_while(results, full);
        woken.unwrap_or_else(PoisonError::into_inner).others_sleep -= 1;
    }

    /// Hands on the results from `number` on that follow each other without a gap.
    fn hand_on(&self, number: &mut u64, take: &mut impl FnMut(O, Progress)) {
        loop {
            let mut results = self.lock();
            let Some((outcome, progress)) = results.waiting.remove(number) else { return };
            if results.others_sleep > 0 {
                self.taken.notify_all();
            }
            drop(results);
            *number += 1;
            take(outcome, progress);
        }
    }

    /// Hands on results as they come, until no other thread runs.
    fn hand_on_until_all_left(&self, number: &mut u64, take: &mut impl FnMut(O, Progress)) {
        loop {
            self.hand_on(number, take);
            let idle =
                |results: &mut Results<O>| results.working > 0 && !results.waiting.contains_key(number);
            let mut results = self.lock();
            results.caller_sleeps = true;
            let mut results = self.put.wait_while(results, idle).unwrap_or_else(PoisonError::into_inner);
            results.caller_sleeps = false;
            if results.working == 0 {
                return;
            }
        }
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.taken.notify_all();
    }

    /// Nothing that is done under this lock leaves the results half changed.
    fn lock(&self) -> MutexGuard<'_, Results<O>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a thread out, however it ends.
struct Leave<'a, 'b, O>(&'a Shared<'b, O>);

impl<O> Drop for Leave<'_, '_, O> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
        self.0.lock().working -= 1;
        self.0.put.notify_one();
    }
}

/// Ends the other threads when this one panics.
struct StopOnPanic<'a, 'b, O>(&'a Shared<'b, O>);

impl<O> Drop for StopOnPanic<'_, '_, O> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::input::{BatchItem, InputOptions};
    use crate::limits::InputLimits;

    /// The lines of the events, by `threads` of which those with a line of `panics` panic.
    fn lines(threads: usize, panics: &'static [u64]) -> Vec<u64> {
        let limits = InputLimits { batch_bytes: 100, ..InputLimits::default() };
        let input = Cursor::new("{}\n".repeat(2000));
        let mut reader = Reader::of_bytes("x", input, InputOptions { limits });
        let work = |(): &mut (), batch: &Batch| -> Vec<u64> {
            let lines = batch.iter().filter_map(|item| match item {
                BatchItem::Event(event) => Some(event.location().line),
                BatchItem::Problem(_) => None,
            });
            lines.inspect(|line| assert!(!panics.contains(line), "a line that fails")).collect()
        };
        let mut out = Vec::new();
        in_order(&mut reader, &mut vec![(); threads], work, |lines, _| out.extend(lines));
        out
    }

    #[test]
    fn what_comes_out_is_in_order() {
        for threads in [1, 2, 3, 8] {
            assert_eq!(lines(threads, &[]), (1..=2000).collect::<Vec<_>>(), "{threads} threads");
        }
    }

    #[test]
    fn a_panic_of_any_worker_is_that_of_the_caller() {
        for threads in [1, 2, 3, 8] {
            for panics in [&[1][..], &[700], &[2000], &[500, 600, 1000, 1500]] {
                let outcome = catch_unwind(AssertUnwindSafe(|| lines(threads, panics)));
                let panic = outcome.expect_err("a panic");
                let text = panic.downcast_ref::<&str>();
                assert_eq!(text, Some(&"a line that fails"), "{threads} threads, {panics:?}");
            }
        }
    }
}
