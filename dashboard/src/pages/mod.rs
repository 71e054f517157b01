//! One file per page. To add one: a function from its view to a whole document, and a line here.

mod acknowledge;
mod alerts;
mod audit;
mod document;
mod explore;
mod incident;
mod incidents;
mod login;
mod notifications;
mod now;
mod problem;
mod queues;
mod scaling;
mod secrets;

pub use acknowledge::{AckLink, acknowledge_page};
pub use alerts::alerts_page;
pub use audit::audit_page;
pub use explore::explore_page;
pub use incident::incident_page;
pub use incidents::incidents_page;
pub use login::{confirm_link_page, login_page};
pub use notifications::notifications_page;
pub use now::now_page;
pub use problem::problem_page;
pub use queues::queues_page;
pub use scaling::scaling_page;
pub use secrets::secrets_page;
