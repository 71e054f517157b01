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
        write_incidents(&folder)?;
        write_secrets(&folder)?;
        std::fs::write(
            format!("{folder}/login.html"),
            ops_dashboard::login_page(Some("That token is not known."), "sample"),
        )?;
    }
    Ok(())
}

#[cfg(feature = "ssr")]
fn write_incidents(folder: &str) -> std::io::Result<()> {
    use ops_dashboard::{AckLink, acknowledge_page, incident_page, incidents_page, notifications_page};
    use sample::incidents as they;
    let (hostile, one, told) = they::hostile();
    let open = they::open("i1");
    let ready = AckLink::Ready { incident: &open, error: None };
    let whole = ops_contract::IncidentView {
        incident: open.clone(),
        notifications: they::history().notifications,
        at: sample::NOW,
    };
    let pages = [
        ("incidents", incidents_page(&they::broken(), "sample")),
        ("incidents-calm", incidents_page(&they::calm(), "sample")),
        ("incidents-hostile", incidents_page(&hostile, "sample")),
        ("incident", incident_page(&whole, "sample")),
        ("incident-hostile", incident_page(&one, "sample")),
        ("notifications", notifications_page(&they::history(), "sample")),
        ("notifications-hostile", notifications_page(&told, "sample")),
        ("acknowledge", acknowledge_page(ready, sample::NOW, "sample")),
    ];
    for (name, page) in pages {
        std::fs::write(format!("{folder}/{name}.html"), page)?;
    }
    Ok(())
}

#[cfg(feature = "ssr")]
fn write_secrets(folder: &str) -> std::io::Result<()> {
    use ops_dashboard::{audit_page, secrets_page};
    for (name, view) in sample::secrets::pictures() {
        std::fs::write(format!("{folder}/{name}.html"), secrets_page(&view, "sample"))?;
    }
    for (name, view) in sample::audit::pictures() {
        std::fs::write(format!("{folder}/{name}.html"), audit_page(&view, "sample"))?;
    }
    Ok(())
}
