use ops_contract::QueueSpec;

use crate::reader::quoted;
use crate::section::Section;

/// `[valkey.NAME.queues]`: where BullMQ keeps its queues there.
pub(super) fn read(valkey: &Section<'_, '_>) -> Option<QueueSpec> {
    let section = valkey.table("queues", "valkey.NAME.queues")?;
    let database = section.integer("database", 0..=u16::MAX).map_or(0, |at| at.value);
    let mut prefix = "bull".to_owned();
    if let Some(at) = section.string("prefix") {
        let good = !at.value.is_empty()
            && at.value.len() <= 100
            && at.value.chars().all(|it| it.is_ascii_graphic() && !"*?[]\\\"".contains(it));
        if !good {
            let problem = format!("{} is not a key prefix", quoted(&at.value));
            section.reader.wrong(
                &at,
                problem,
                "write what your programs give BullMQ as prefix; its own is \"bull\"",
            );
        }
        prefix = at.value;
    }
    Some(QueueSpec { database, prefix })
}
