//! What a client may do: come in with a token, look at tickets, say that it types, say that it is there.

use std::fmt;
use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use ops_program::events::{organisation_room, ticket_room, user_room};
use ops_program::tokens::{Claims, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide::extract::{AckSender, Extension, State, TryData};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::app::{Adapter, App, Socket};
use crate::presence::Person;
use crate::store;

/// What the handshake brings.
#[derive(Deserialize)]
pub(crate) struct Auth {
    token: String,
}

/// Why a client may not come in; `message` of its `connect_error`.
#[derive(Debug)]
pub(crate) enum Refused {
    Token,
    Full,
}

/// What a client says of a ticket.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfTicket {
    ticket_id: Uuid,
    #[serde(default)]
    typing: Option<bool>,
}

/// The answer to a client that asked for one.
#[derive(Serialize)]
struct Answer {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Lets a client in, if it holds a token of ours and there is room.
pub(crate) async fn admit(
    socket: Socket,
    State(app): State<Arc<App>>,
    TryData(auth): TryData<Auth>,
) -> Result<(), Refused> {
    let token = auth.map_err(|_| Refused::Token)?.token;
    let claims = app.tokens.verify(&token).map_err(|_| Refused::Token)?;
    if usize::try_from(app.connections.get()).is_ok_and(|sockets| sockets >= app.most_sockets) {
        warn!("a socket was refused: the replica is full");
        return Err(Refused::Full);
    }
    socket.extensions.insert(claims);
    Ok(())
}

/// Puts a client into its rooms and tells it who is there.
pub(crate) async fn connected(
    socket: Socket,
    State(app): State<Arc<App>>,
    Extension(claims): Extension<Claims>,
) {
    app.connections.inc();
    let person = person(&claims);
    socket.on_disconnect(left);
    socket.on("ticket:join", join);
    socket.on("ticket:leave", leave);
    socket.on("ticket:typing", typing);
    socket.on("presence:ping", ping);
    socket.join(user_room(claims.sub));
    // Customers see their own tickets only: what happens in the organisation is the staff's.
    if claims.role != Role::Customer {
        socket.join(organisation_room(claims.org));
    }
    let first = app.presence.join(person).await;
    sync(&app, &socket, claims.org).await;
    if first {
        let online = json!({ "userId": claims.sub });
        told(socket.to(organisation_room(claims.org)).emit("user:online", &online).await);
    }
}

async fn left(State(app): State<Arc<App>>, Extension(claims): Extension<Claims>) {
    app.connections.dec();
    app.presence.leave(person(&claims)).await;
}

async fn join(
    socket: Socket,
    State(app): State<Arc<App>>,
    Extension(claims): Extension<Claims>,
    TryData(ticket): TryData<OfTicket>,
    ack: AckSender<Adapter>,
) {
    let Ok(OfTicket { ticket_id, .. }) = ticket else { return answer(ack, Some("ticketId is not an id")) };
    let requester = (claims.role == Role::Customer).then_some(claims.sub);
    match store::ticket(&app.database, ticket_id, claims.org, requester).await {
        Ok(Some(state)) => {
            socket.join(ticket_room(ticket_id));
            let state = json!({ "ticketId": ticket_id, "status": state.status, "priority": state.priority, "subject": state.subject });
            if let Err(error) = socket.emit("ticket:state", &state) {
                debug!(error = %error, "a socket did not hear of its ticket");
            }
            answer(ack, None);
        }
        // Another tenant's ticket and none at all look the same.
        Ok(None) => answer(ack, Some("there is no such ticket")),
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "could not look up a ticket");
            answer(ack, Some("try again"));
        }
    }
}

async fn leave(socket: Socket, TryData(ticket): TryData<OfTicket>, ack: AckSender<Adapter>) {
    let Ok(OfTicket { ticket_id, .. }) = ticket else { return answer(ack, Some("ticketId is not an id")) };
    socket.leave(ticket_room(ticket_id));
    answer(ack, None);
}

async fn typing(
    socket: Socket,
    Extension(claims): Extension<Claims>,
    TryData(ticket): TryData<OfTicket>,
    ack: AckSender<Adapter>,
) {
    let Ok(OfTicket { ticket_id, typing }) = ticket else {
        return answer(ack, Some("ticketId is not an id"));
    };
    let room = ticket_room(ticket_id);
    // Who has not joined was not checked to belong there.
    if !socket.rooms().iter().any(|joined| *joined == *room) {
        return answer(ack, Some("join the ticket first"));
    }
    let state = json!({ "ticketId": ticket_id, "typing": { "userId": claims.sub, "typing": typing.unwrap_or(true) } });
    told(socket.to(room).emit("ticket:state", &state).await);
    answer(ack, None);
}

async fn ping(socket: Socket, State(app): State<Arc<App>>, Extension(claims): Extension<Claims>) {
    app.presence.renew(&[person(&claims)]).await;
    sync(&app, &socket, claims.org).await;
}

/// What every path but Socket.IO's gets.
pub(crate) async fn nothing_here() -> impl IntoResponse {
    let problem = json!({
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "only socket.io is served here"
    });
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/problem+json")], problem.to_string())
}

async fn sync(app: &App, socket: &Socket, organisation: Uuid) {
    let online = app.presence.online(organisation).await;
    if let Err(error) = socket.emit("presence:sync", &json!({ "online": online })) {
        debug!(error = %error, "a socket did not hear who is online");
    }
}

fn person(claims: &Claims) -> Person {
    Person { organisation: claims.org, user: claims.sub }
}

fn answer(ack: AckSender<Adapter>, error: Option<&'static str>) {
    // A client that asked for no answer gets none.
    let _ = ack.send(&Answer { ok: error.is_none(), error });
}

fn told<E: fmt::Display>(sent: Result<(), E>) {
    if let Err(error) = sent {
        debug!(error = %error, "not every socket was told");
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "unauthorized",
            Self::Full => "full",
        })
    }
}
