//! Tickets and their messages.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use jiff::Timestamp;
use ops_program::tokens::Role;
use ops_telemetry::propagation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::body::{self, Body};
use super::caller::Caller;
use super::problem::Problem;
use super::{READ_AFTER, READ_FROM};
use crate::app::App;
use crate::store::outbox::Entry;
use crate::store::tickets::{self, Message, NewMessage, NewTicket, Ticket};

const STATUSES: [&str; 4] = ["open", "pending", "resolved", "closed"];
const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

/// A ticket as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketView {
    id: Uuid,
    organisation_id: Uuid,
    requester_id: Uuid,
    subject: String,
    description: String,
    status: String,
    priority: String,
    sla_due_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<MessageView>>,
}

/// A message as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageView {
    id: Uuid,
    ticket_id: Uuid,
    author_id: Uuid,
    body: String,
    created_at: Timestamp,
}

/// One page of tickets, newest first. `next` is the cursor of the page after it.
#[derive(Serialize)]
pub(crate) struct TicketPage {
    items: Vec<TicketView>,
    next: Option<Uuid>,
}

/// Which page.
#[derive(Deserialize)]
pub(crate) struct PageQuery {
    limit: Option<u16>,
    cursor: Option<Uuid>,
    status: Option<String>,
}

type Headers<const N: usize> = AppendHeaders<[(HeaderName, HeaderValue); N]>;

/// `POST /v1/tickets`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut body: Body,
) -> Result<impl IntoResponse, Problem> {
    let (subject, description) = (body.line("subject", 200), body.text("description", 20_000));
    let priority = body.word("priority", &PRIORITIES, Some("normal"));
    body.check()?;
    let (id, outbox, trace) = (Uuid::now_v7(), Uuid::now_v7(), propagation::to_job());
    let organisation = caller.scope.organisation;
    let new = NewTicket {
        id,
        outbox,
        organisation,
        requester: caller.user,
        subject: &subject,
        description: &description,
        priority,
        trace: trace.as_deref(),
    };
    let created = tickets::create(&app.primary, &new).await?;
    let (Some(at), Some(due_at)) = (created.p_created, created.p_due) else {
        return Err(Problem::unauthorized("the organisation is gone"));
    };
    app.relay(entry(outbox, "ticket:created", id, organisation, trace).with_due(due_at));
    let written = wrote(&app, &caller, created.p_written).await;
    let ticket = Ticket {
        id,
        organisation_id: organisation,
        requester_id: caller.user,
        subject,
        description,
        status: "open".to_owned(),
        priority: priority.to_owned(),
        sla_due_at: due_at,
        created_at: at,
        updated_at: at,
    };
    let location = HeaderValue::try_from(format!("/v1/tickets/{id}")).map_err(Problem::internal)?;
    let headers: Headers<2> = AppendHeaders([(header::LOCATION, location), (READ_AFTER, written)]);
    Ok((StatusCode::CREATED, headers, Json(view(ticket, None)?)))
}

/// `POST /v1/tickets/{id}/messages`
pub(crate) async fn reply(
    State(app): State<Arc<App>>,
    Path(ticket): Path<String>,
    caller: Caller,
    mut body: Body,
) -> Result<impl IntoResponse, Problem> {
    let ticket = body::id(&ticket)?;
    let text = body.text("body", 20_000);
    body.check()?;
    let (id, outbox, trace) = (Uuid::now_v7(), Uuid::now_v7(), propagation::to_job());
    let new = NewMessage { id, outbox, ticket, author: caller.user, body: &text, trace: trace.as_deref() };
    let added = tickets::add_message(&app.primary, caller.scope, &new).await?;
    if added.p_status.is_none() {
        return Err(Problem::not_found("there is no such ticket"));
    }
    let Some(created_at) = added.p_created else {
        return Err(Problem::new(StatusCode::CONFLICT, "the ticket is closed"));
    };
    let mut entry = entry(outbox, "ticket:message_added", ticket, caller.scope.organisation, trace);
    entry.message_id = Some(id);
    app.relay(entry);
    let written = wrote(&app, &caller, added.p_written).await;
    let message = Message { id, author_id: caller.user, body: text, created_at };
    let headers: Headers<1> = AppendHeaders([(READ_AFTER, written)]);
    Ok((StatusCode::CREATED, headers, Json(message_view(ticket, message)?)))
}

/// `PATCH /v1/tickets/{id}`
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    Path(ticket): Path<String>,
    caller: Caller,
    mut body: Body,
) -> Result<impl IntoResponse, Problem> {
    let id = body::id(&ticket)?;
    let status = body.word("status", &STATUSES, None);
    body.check()?;
    // A customer may say that it is settled or that it is not; the rest is the staff's.
    if caller.role == Role::Customer && !matches!(status, "open" | "resolved") {
        return Err(Problem::new(StatusCode::FORBIDDEN, "only staff may set this status"));
    }
    let (outbox, trace) = (Uuid::now_v7(), propagation::to_job());
    let changed =
        tickets::set_status(&app.primary, caller.scope, id, outbox, status, trace.as_deref()).await?;
    if changed.p_updated.is_none() {
        return Err(Problem::not_found("there is no such ticket"));
    }
    app.relay(entry(outbox, "ticket:updated", id, caller.scope.organisation, trace));
    let written = wrote(&app, &caller, changed.p_written).await;
    let ticket = tickets::get(&app.primary, caller.scope, id).await?;
    let ticket = ticket.ok_or_else(|| Problem::not_found("there is no such ticket"))?;
    let headers: Headers<1> = AppendHeaders([(READ_AFTER, written)]);
    Ok((headers, Json(view(ticket, None)?)))
}

/// `GET /v1/tickets/{id}`
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(ticket): Path<String>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    let id = body::id(&ticket)?;
    let read = async |pool| match tickets::get(pool, caller.scope, id).await? {
        Some(ticket) => Ok(Some((tickets::messages(pool, id).await?, ticket))),
        None => Ok(None),
    };
    let (pool, replica) = app.reads.pool(caller.user, caller.after).await;
    let (found, from) = match read(pool).await {
        Ok(found) => (found, source(replica)),
        Err(error) if replica => (read(primary_instead(&app, &error)).await?, source(false)),
        Err(error) => return Err(error.into()),
    };
    let (messages, ticket) = found.ok_or_else(|| Problem::not_found("there is no such ticket"))?;
    let messages = messages.into_iter().map(|message| message_view(id, message)).collect::<Result<_, _>>()?;
    Ok((from, Json(view(ticket, Some(messages))?)))
}

/// `GET /v1/tickets?limit=&cursor=&status=`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let wrong = |detail: &str| Problem::new(StatusCode::BAD_REQUEST, detail);
    let Query(query) = query.map_err(|_| wrong("limit must be a number and cursor an id"))?;
    let limit = query.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(wrong("limit must be from 1 to 100"));
    }
    if query.status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(wrong("status must be open, pending, resolved or closed"));
    }
    // One more than asked for tells whether there is another page.
    let most = i64::from(limit) + 1;
    let read =
        async |pool| tickets::page(pool, caller.scope, query.cursor, query.status.as_deref(), most).await;
    let (pool, replica) = app.reads.pool(caller.user, caller.after).await;
    let (mut found, from) = match read(pool).await {
        Ok(found) => (found, source(replica)),
        Err(error) if replica => (read(primary_instead(&app, &error)).await?, source(false)),
        Err(error) => return Err(error.into()),
    };
    let more = found.len() > usize::from(limit);
    found.truncate(usize::from(limit));
    let next = found.last().filter(|_| more).map(|ticket| ticket.id);
    let items = found.into_iter().map(|ticket| view(ticket, None)).collect::<Result<_, _>>()?;
    Ok((from, Json(TicketPage { items, next })))
}

fn entry(id: Uuid, event: &str, ticket_id: Uuid, organisation_id: Uuid, trace: Option<String>) -> Entry {
    Entry { id, event: event.to_owned(), ticket_id, organisation_id, message_id: None, due_at: None, trace }
}

impl Entry {
    fn with_due(self, due_at: i64) -> Self {
        Self { due_at: Some(due_at), ..self }
    }
}

/// Remembers the write for the caller's next read, on whichever replica of the API.
async fn wrote(app: &App, caller: &Caller, position: Option<String>) -> HeaderValue {
    let position = position.unwrap_or_default();
    app.reads.wrote(caller.user, &position).await;
    HeaderValue::try_from(position).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn source(replica: bool) -> Headers<1> {
    AppendHeaders([(READ_FROM, HeaderValue::from_static(if replica { "replica" } else { "primary" }))])
}

fn primary_instead<'a>(app: &'a App, error: &sqlx::Error) -> &'a sqlx::PgPool {
    tracing::warn!(error = error as &dyn std::error::Error, "the replica failed, reading from the primary");
    app.reads.primary()
}

fn view(ticket: Ticket, messages: Option<Vec<MessageView>>) -> Result<TicketView, Problem> {
    Ok(TicketView {
        id: ticket.id,
        organisation_id: ticket.organisation_id,
        requester_id: ticket.requester_id,
        subject: ticket.subject,
        description: ticket.description,
        status: ticket.status,
        priority: ticket.priority,
        sla_due_at: at(ticket.sla_due_at)?,
        created_at: at(ticket.created_at)?,
        updated_at: at(ticket.updated_at)?,
        messages,
    })
}

fn message_view(ticket_id: Uuid, message: Message) -> Result<MessageView, Problem> {
    let created_at = at(message.created_at)?;
    Ok(MessageView {
        id: message.id,
        ticket_id,
        author_id: message.author_id,
        body: message.body,
        created_at,
    })
}

fn at(micros: i64) -> Result<Timestamp, Problem> {
    Timestamp::from_microsecond(micros).map_err(Problem::internal)
}
