//! Flows: trees of jobs in which a parent runs after its children.
//!
//! The jobs of a flow may be in any queues of one prefix. A flow is added all at once or not at all. What a child's failure does to
//! its parent is the child's option ([`OnFailure`](crate::OnFailure)); what children returned is read by
//! [`Job::children_values`](crate::Job::children_values).

use serde::Serialize;

use crate::{Client, Error, Job, JobOptions, NewJob, Parent, Queue, queue::now_ms};

/// The most jobs of one flow, since they are added in one step.
const LARGEST: usize = 10_000;

/// A job and the jobs that it waits for.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The name of the queue that the job is added to.
    pub queue: String,
    /// The job.
    pub job: NewJob,
    /// What it waits for.
    pub children: Vec<Flow>,
}

/// The ids of a flow that was added, in the shape of the flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedFlow {
    /// The name of the queue.
    pub queue: String,
    /// The id within it.
    pub id: String,
    /// The children, in the flow's order.
    pub children: Vec<AddedFlow>,
}

/// A job with its children as they stand. Children beyond the depth or the number asked for are left out.
#[derive(Debug, Clone)]
pub struct FlowTree {
    /// The job.
    pub job: Job,
    /// Its children.
    pub children: Vec<FlowTree>,
}

/// Adds flows and reads them back.
#[derive(Debug, Clone)]
pub struct FlowProducer {
    client: Client,
}

impl Flow {
    /// A job without children. Fails only if the data cannot be written as JSON.
    pub fn new(
        queue: impl Into<String>,
        name: impl Into<String>,
        data: impl Serialize,
        options: JobOptions,
    ) -> Result<Self, Error> {
        Ok(Self { queue: queue.into(), job: NewJob::new(name, data, options)?, children: Vec::new() })
    }

    /// The same job with one more to wait for.
    #[must_use]
    pub fn child(mut self, child: Flow) -> Self {
        self.children.push(child);
        self
    }
}

impl FlowProducer {
    /// A producer on a connection. Nothing is asked of the server yet.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Adds a flow in one step: nobody sees a part of it. At most ten thousand jobs.
    pub async fn add(&self, flow: Flow) -> Result<AddedFlow, Error> {
        let script = &self.client.scripts().add_flow;
        let root = Queue::new(&self.client, &flow.queue)?;
        let mut call = root.script(script);
        let mut waiting = vec![(flow, None)];
        let mut queues = Vec::new();
        let mut shape = Vec::new();
        let now = now_ms();
        // Parents before their children; a node's children follow one another.
        let mut next = 0;
        while next < waiting.len() {
            if waiting.len() > LARGEST {
                return Err(Error::Option("a flow of more than 10000 jobs".to_owned()));
            }
            let children = std::mem::take(&mut waiting[next].0.children);
            let (node, parent) = &mut waiting[next];
            let queue = Queue::new(&self.client, &node.queue)?;
            let id = node.job.options.job_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
            if let Some(parent) = parent.take() {
                node.job.options.parent = Some(parent);
            }
            node.job.options.check()?;
            call.arg(queue.key(""));
            node.job.write(&mut call, &id, now, !children.is_empty());
            let link = queue.parent(&id);
            shape.push(children.len());
            queues.push(node.queue.clone());
            waiting.extend(children.into_iter().map(|child| (child, Some(link.clone()))));
            next += 1;
        }
        let ids: Vec<String> = self.client.run(&call).await?;
        if let [code] = ids.as_slice() {
            refusal(code, queues.first().map_or("", String::as_str))?;
        }
        Ok(AddedFlow::assemble(queues, ids, &shape))
    }

    /// A job and its children as they stand, `depth` generations in all and at most `most` children of each job.
    pub async fn get(
        &self,
        queue: &str,
        id: &str,
        depth: u32,
        most: usize,
    ) -> Result<Option<FlowTree>, Error> {
        let Some(job) = Queue::new(&self.client, queue)?.job(id).await? else { return Ok(None) };
        let mut tree = FlowTree { job, children: Vec::new() };
        if depth > 1 {
            for (queue, id) in tree.job.children(most).await? {
                // One level of the tree after the other, so boxed.
                if let Some(child) = Box::pin(self.get(&queue, &id, depth - 1, most)).await? {
                    tree.children.push(child);
                }
            }
        }
        Ok(Some(tree))
    }
}

impl AddedFlow {
    /// The flat lists, parents first and level by level, as a tree again.
    fn assemble(queues: Vec<String>, ids: Vec<String>, children: &[usize]) -> Self {
        let mut nodes: Vec<Option<Self>> = queues
            .into_iter()
            .zip(ids)
            .map(|(queue, id)| Some(Self { queue, id, children: Vec::new() }))
            .collect();
        let mut first_child: Vec<usize> = Vec::with_capacity(children.len());
        let mut at = 1;
        for count in children {
            first_child.push(at);
            at += count;
        }
        for place in (0..nodes.len()).rev() {
            let range = first_child[place]..first_child[place] + children[place];
            let taken: Vec<Self> = range.filter_map(|child| nodes.get_mut(child)?.take()).collect();
            if let Some(Some(node)) = nodes.get_mut(place) {
                node.children = taken;
            }
        }
        nodes.into_iter().next().flatten().unwrap_or(Self {
            queue: String::new(),
            id: String::new(),
            children: Vec::new(),
        })
    }
}

/// What the scripts answer in place of an id.
pub(crate) fn refusal(id: &str, wanted: &str) -> Result<(), Error> {
    match id {
        "-5" => Err(Error::Refused { id: wanted.to_owned(), why: "its parent does not exist" }),
        "-7" => Err(Error::Refused { id: wanted.to_owned(), why: "it exists and has another parent" }),
        _ => Ok(()),
    }
}

impl Queue {
    /// A job of this queue as the parent of others, for [`JobOptions::parent`].
    pub fn parent(&self, id: &str) -> Parent {
        Parent { queue: self.key("").trim_end_matches(':').to_owned(), id: id.to_owned() }
    }
}
