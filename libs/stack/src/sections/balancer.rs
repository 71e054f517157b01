use ops_contract::Environment;

use super::is_local;
use crate::reader::At;
use crate::section::Section;

/// The development balancer.
pub(crate) struct BalancerDraft {
    pub(crate) port: At<u16>,
}

pub(super) fn read(root: &Section<'_, '_>, environment: Environment) -> Option<BalancerDraft> {
    let section = root.table("balancer", "balancer")?;
    if !is_local(environment) {
        let fix = "remove [balancer] and put your own balancer before the services";
        section.reader.fault(
            &section.span,
            &section.path,
            "the balancer is for development and test only",
            fix,
        );
    }
    let default = At { value: 8080, key: section.key("port"), span: section.span.clone() };
    let port = match section.value("port") {
        Some(_) => section.integer("port", 1..=u16::MAX)?,
        None => default,
    };
    Some(BalancerDraft { port })
}
