//! What a look at many queues costs: URL [QUEUES] [JOBS in one of them] [LOOKS] [EVENTS between two looks]. Fills an empty server first.
//!
//! Prints, for a look: the server's processor time (`used_cpu`), the time its commands took (`commandstats`), ours, and how long it all took.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::Context;
use ops_bullmq::watch::Watch;
use redis::aio::MultiplexedConnection;
use serde_json::json;

/// What the server has used, in ms.
struct Used {
    cpu: f64,
    commands: f64,
    slowest: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "redis://127.0.0.1:6379".to_owned());
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (queues, jobs, looks, events) = (number(1_000)?, number(1_000_000)?, number(30)?, number(2_000)?);
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let keys: usize = redis::cmd("DBSIZE").query_async(&mut connection).await?;
    if keys == 0 {
        fill(&mut connection, queues, jobs).await?;
    }

    let mut watch = Watch::new("bull", []);
    let mut known = 0;
    let mut rounds = 0;
    while known < queues && rounds < 100_000 {
        known = watch.look(&mut connection).await?.queues.len();
        rounds += 1;
    }
    let (mut ours, mut took) = (0.0, Vec::new());
    let (mut server, mut commands) = (0.0, 0.0);
    let mut shown = String::new();
    for _ in 0..looks {
        happen(&mut connection, events).await?;
        let before = used(&mut connection).await?;
        let (cpu, began) = (cpu_seconds()?, Instant::now());
        watch.look(&mut connection).await?;
        took.push(began.elapsed());
        ours += cpu_seconds()? - cpu;
        let after = used(&mut connection).await?;
        server += after.cpu - before.cpu;
        commands += after.commands - before.commands;
        shown = after.slowest;
    }
    took.sort();
    let each = |sum: f64| (sum / looks as f64 * 1e3).round() / 1e3;
    let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let result = json!({
        "queues": known, "keys": redis::cmd("DBSIZE").query_async::<usize>(&mut connection).await?,
        "looks_until_all_were_found": rounds, "events_a_look": events,
        "server_cpu_ms": each(server), "server_commands_ms": each(commands), "our_cpu_ms": each(ours * 1e3),
        "took_p50_ms": ms(took[looks / 2]), "took_max_ms": ms(took[looks - 1]), "mean_us_a_call": shown,
    });
    writeln!(std::io::stdout(), "{result:#}")?;
    Ok(())
}

/// Every queue has some jobs in each state, the first has a million of them, delayed and in line; each has a stream of a hundred events.
async fn fill(connection: &mut MultiplexedConnection, queues: usize, jobs: usize) -> anyhow::Result<()> {
    const FILL: &str = "
        local base, jobs, first, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        redis.call('HSET', base .. 'meta', 'opts.maxLenEvents', 10000, 'version', 'bullmq:5.81.5')
        for n = first, first + jobs - 1 do
          local place = n % 4
          redis.call('HSET', base .. n, 'name', 'n', 'data', '{}', 'opts', '{\"delay\":5,\"attempts\":3}', 'timestamp', now, 'priority', 0)
          if place == 0 then redis.call('ZADD', base .. 'delayed', string.format('%.0f', (now + n) * 4096), n)
          elseif place == 1 then redis.call('ZADD', base .. 'prioritized', (n % 5 + 1) * 4294967296 + n, n)
          else redis.call('LPUSH', base .. 'wait', n) end
        end
        for n = 1, 100 do redis.call('XADD', base .. 'events', '*', 'event', 'added', 'jobId', n, 'name', 'n') end";
    let mut now: (u64, u64) = redis::cmd("TIME").query_async(connection).await?;
    now.0 *= 1000;
    let mut of = Vec::new();
    for queue in 0..queues {
        let all = if queue == 0 { jobs } else { 20 };
        of.extend((0..all).step_by(5_000).map(|first| (queue, (all - first).min(5_000), first + 1)));
    }
    for (queue, jobs, first) in of {
        let base = format!("bull:queue-{queue}:");
        let mut call = redis::cmd("EVAL");
        call.arg(FILL).arg(0).arg(base).arg(jobs).arg(first).arg(now.0);
        call.query_async::<()>(connection).await.context("could not fill the server")?;
    }
    Ok(())
}

/// Some events, in the first hundred queues.
async fn happen(connection: &mut MultiplexedConnection, events: usize) -> anyhow::Result<()> {
    if events == 0 {
        return Ok(());
    }
    let mut pipe = redis::pipe();
    for n in 0..events {
        let (key, job) = (format!("bull:queue-{}:events", n % 100), n / 400);
        let (event, prev) =
            [("added", ""), ("waiting", ""), ("active", "waiting"), ("completed", "active")][n / 100 % 4];
        pipe.cmd("XADD").arg(key).arg("MAXLEN").arg("~").arg(10_000).arg("*");
        pipe.arg("event").arg(event).arg("jobId").arg(job);
        if !prev.is_empty() {
            pipe.arg("prev").arg(prev);
        }
        pipe.ignore();
    }
    pipe.query_async::<()>(connection).await?;
    Ok(())
}

async fn used(connection: &mut MultiplexedConnection) -> anyhow::Result<Used> {
    let mut used = Used { cpu: 0.0, commands: 0.0, slowest: String::new() };
    let cpu: String = redis::cmd("INFO").arg("cpu").query_async(connection).await?;
    for line in
        cpu.lines().filter(|line| line.starts_with("used_cpu_user:") || line.starts_with("used_cpu_sys:"))
    {
        used.cpu += line.rsplit(':').next().unwrap_or_default().trim().parse::<f64>()? * 1e3;
    }
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await?;
    for line in stats.lines() {
        let Some((name, figures)) = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        let figure = |wanted: &str| {
            figures.split(',').find_map(|figure| figure.strip_prefix(wanted)?.strip_prefix('='))
        };
        // What scripts call is within their own time.
        if matches!(name, "evalsha" | "xread" | "scan" | "client|list" | "info") {
            let took: f64 = figure("usec").unwrap_or("0").parse()?;
            used.commands += if name == "info" { 0.0 } else { took / 1e3 };
            used.slowest.push_str(&format!("{name} {} ", figure("usec_per_call").unwrap_or("?")));
        }
    }
    Ok(used)
}

/// User and system time of this process.
fn cpu_seconds() -> anyhow::Result<f64> {
    let schedstat = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(schedstat.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}
