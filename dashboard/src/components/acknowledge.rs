//! The form by which somebody says that he looks after an incident.

use leptos::prelude::*;
use ops_contract::Incident;

use super::incident;

/// For how long, in seconds, as people say it; the first is meant unless told.
const LENGTHS: [(u32, &str); 4] =
    [(3_600, "1 hour"), (1_800, "30 minutes"), (14_400, "4 hours"), (86_400, "1 day")];

/// The form, folded away until it is wanted; `index` tells it from others on the page.
pub(crate) fn folded(incident: &Incident, index: usize) -> impl IntoView + use<> {
    view! {
        <details>
            <summary>"Look after it"</summary>
            {form(incident, index)}
        </details>
    }
}

/// The form.
pub(crate) fn form(incident: &Incident, index: usize) -> impl IntoView + use<> {
    let action = format!("{}/ack", incident::path(&incident.id));
    let (reason, length) = (format!("reason-{index}"), format!("for-{index}"));
    let lengths: Vec<_> = LENGTHS
        .into_iter()
        .map(|(seconds, name)| view! { <option value=seconds.to_string()>{name}</option> })
        .collect();
    view! {
        <form method="post" action=action class="sheet">
            <label for=reason.clone()>"What you do about it"</label>
            <input id=reason name="reason" required maxlength="500" autocomplete="off"/>
            <label for=length.clone()>"For how long"</label>
            <select id=length name="for_s">{lengths}</select>
            <button>"I look after it"</button>
        </form>
    }
}
