//! Appends samples for ever and says on standard output how many of each series were acknowledged. A test kills it.
#![allow(clippy::print_stdout, reason = "standard output is what it is for")]

use std::io::Write;
use std::path::PathBuf;

use ops_samples::{Labels, Sample};
use ops_series::{Options, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give a folder")?);
    let options = Options { segment_ms: 20_000, out_of_order_ms: 0, ..Options::default() };
    let (store, recovery) = Store::open(&folder, options)?;
    let refs = (0..10)
        .map(|number: i32| Labels::new([("__name__", "up"), ("instance", &number.to_string())]))
        .collect::<Result<Vec<_>, _>>()?;
    let refs = refs.iter().map(|labels| store.resolve(labels)).collect::<Result<Vec<_>, _>>()?;
    let mut at_ms = store.contents().newest_ms.unwrap_or(0);
    println!("opened {} damage {}", at_ms, recovery.damage.len());
    loop {
        at_ms += 10;
        let batch: Vec<_> =
            refs.iter().map(|series| (*series, Sample { at_ms, value: at_ms as f64 * 0.1 })).collect();
        assert_eq!(store.append(&batch).accepted, refs.len());
        if at_ms % 1_000 == 0 {
            store.maintain(at_ms * 40)?;
        }
        writeln!(std::io::stdout(), "{at_ms}")?;
    }
}
