//! Writes sample pages into a folder, to be looked at: `cargo run -p ops-dashboard --features ssr --example pages -- FOLDER`.

#[cfg(feature = "ssr")]
#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() -> std::io::Result<()> {
    #[cfg(feature = "ssr")]
    {
        let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
        let pages = [
            ("well", sample::well()),
            ("broken", sample::broken()),
            ("empty", sample::empty()),
            ("hostile", sample::hostile()),
        ];
        for (name, view) in pages {
            std::fs::write(format!("{folder}/{name}.html"), ops_dashboard::now_page(&view, "sample"))?;
        }
        let (hostile_queues, hostile_scaling) = sample::queues::hostile();
        let queues = [
            ("queues", sample::queues::queues()),
            ("queues-calm", sample::queues::calm_queues()),
            ("queues-unread", sample::queues::unread_queues()),
            ("queues-hostile", hostile_queues),
        ];
        for (name, view) in queues {
            std::fs::write(format!("{folder}/{name}.html"), ops_dashboard::queues_page(&view, "sample"))?;
        }
        let scaling = [
            ("scaling", sample::queues::scaling()),
            ("scaling-undecided", sample::queues::undecided()),
            ("scaling-hostile", hostile_scaling),
        ];
        for (name, view) in scaling {
            std::fs::write(format!("{folder}/{name}.html"), ops_dashboard::scaling_page(&view, "sample"))?;
        }
        for (name, view) in sample::alerts::pictures() {
            std::fs::write(format!("{folder}/{name}.html"), ops_dashboard::alerts_page(&view, "sample"))?;
        }
        for (name, view) in sample::alerts::explorations() {
            std::fs::write(format!("{folder}/{name}.html"), ops_dashboard::explore_page(&view, "sample"))?;
        }
        std::fs::write(
            format!("{folder}/login.html"),
            ops_dashboard::login_page(Some("That token is not known."), "sample"),
        )?;
    }
    Ok(())
}
