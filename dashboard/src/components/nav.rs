use leptos::prelude::*;

/// The pages that are open to everybody who has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Now,
    Alerts,
    Incidents,
    Notifications,
    Queues,
    Scaling,
    Secrets,
    Audit,
    Explore,
}

const PLACES: [(Place, &str, &str); 9] = [
    (Place::Now, "/", "Now"),
    (Place::Alerts, "/alerts", "Alerts"),
    (Place::Incidents, "/incidents", "Incidents"),
    (Place::Notifications, "/notifications", "Notifications"),
    (Place::Queues, "/queues", "Queues"),
    (Place::Scaling, "/scaling", "Scaling"),
    (Place::Secrets, "/secrets", "Secrets"),
    (Place::Audit, "/audit", "Audit"),
    (Place::Explore, "/explore", "Explore"),
];

/// What stands above every page: a way past it, where one is and where one can go, and the way out.
pub(crate) fn bar(here: Place, stack: Option<String>) -> impl IntoView {
    let links: Vec<_> = PLACES
        .into_iter()
        .map(|(place, path, name)| {
            let current = (place == here).then_some("page");
            view! { <a href=path aria-current=current>{name}</a> }
        })
        .collect();
    view! {
        <a class="skip" href="#main">"Skip to the answer"</a>
        <header class="bar">
            <span class="brand">"InsightDesk Ops"</span>
            {stack.map(|name| view! { <bdi class="stack">{name}</bdi> })}
            <nav aria-label="Pages">{links}</nav>
            <form method="post" action="/logout"><button>"Sign out"</button></form>
        </header>
    }
}
