//! Serves targets whose series are the same for the same seed and tick: `exposition FIRST_PORT [TARGETS [SERIES [SEED]]]`.
//! Once a second it prints what it has served, as one JSON line, until it is ended.

use std::time::Duration;

use anyhow::Context;
use ops_benches::generator::Generator;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<u64> =
        std::env::args().skip(1).map(|it| it.parse()).collect::<Result<_, _>>().context("numbers, please")?;
    let argument = |place: usize, usual: u64| arguments.get(place).copied().unwrap_or(usual);
    let first = u16::try_from(argument(0, 9_400))?;
    let targets = u16::try_from(argument(1, 10))?;
    let ports: Vec<u16> = (first..first.saturating_add(targets)).collect();
    let generator = Generator::start(&ports, argument(3, 1), usize::try_from(argument(2, 10_000))?).await?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let it = generator.served();
        println!("{}", json!({ "scrapes": it.scrapes(), "samples": it.samples(), "bytes": it.bytes() }));
    }
}
