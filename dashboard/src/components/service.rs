use leptos::prelude::*;
use ops_contract::{ServiceRole, ServiceView, Timestamp};

use super::{replica, state, time};

/// All services of one role as a section; nothing when there are none.
pub(crate) fn section(
    title: &'static str,
    role: ServiceRole,
    services: &[ServiceView],
    now: Timestamp,
) -> Option<impl IntoView + use<>> {
    let cards: Vec<_> = services.iter().filter(|it| it.role == role).map(|it| card(it, now)).collect();
    (!cards.is_empty()).then(|| {
        view! {
            <section class="services">
                <h2>{title}</h2>
                {cards}
            </section>
        }
    })
}

fn card(service: &ServiceView, now: Timestamp) -> impl IntoView + use<> {
    let look = state::of_service(service.status);
    let known = service.since.0 > 0;
    let tiles: Vec<_> = service.replicas.iter().map(|it| replica::tile(it, now)).collect();
    let empty = tiles.is_empty().then(|| view! { <li class="tile none">"no replica"</li> });
    let change = service.last_change.as_ref().map(|change| {
        view! {
            <p class="last-change">
                "last change: " <bdi>{change.summary.clone()}</bdi> ", " {time::since(change.at, now)}
            </p>
        }
    });
    view! {
        <article class=format!("service {}", look.class) id=format!("service-{}", service.name)>
            <header>
                <h3><bdi>{service.name.to_string()}</bdi></h3>
                {state::mark(look)}
                <span class="ready">{format!("{}/{} ready", service.ready, service.desired)}</span>
                {known.then(|| time::since(service.since, now))}
            </header>
            {(!service.reason.is_empty()).then(|| view! { <p class="reason"><bdi>{service.reason.clone()}</bdi></p> })}
            <ul class="strip">{tiles}{empty}</ul>
            {change}
        </article>
    }
}
