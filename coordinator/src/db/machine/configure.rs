//! What people configure, as transactions: plugins and storages.

use super::model::Step;
use super::system::{PLUGIN, STORAGE, Transactions};
use crate::control::{Actor, PluginAction, Settings, StorageAction, StorageSettings};
use crate::db::control::{ActOnPlugins, ActOnStorage};

impl Transactions {
    /// Takes a step that is about a plugin or a storage.
    pub(super) async fn configure(&self, step: &Step) {
        match step {
            Step::StopPlugin { overdue } => {
                self.on_plugin(&PluginAction::Stop {
                    reason: None,
                    deadline_seconds: overdue.then_some(0),
                    resume_at: None,
                })
                .await;
            }
            Step::StartPlugin => self.on_plugin(&PluginAction::Start).await,
            Step::Autostart(on) => self.on_plugin(&PluginAction::Autostart { on: *on }).await,
            Step::Limit(most) => {
                let settings = Settings {
                    running_max: Some(*most),
                    ..Settings::default()
                };
                self.on_plugin(&PluginAction::Configure(settings)).await;
            }
            Step::Storage(storage) => {
                let path = STORAGE.to_owned();
                let action = match storage {
                    Some(limits) => StorageAction::Set(StorageSettings {
                        path,
                        title: None,
                        running_max: Some(limits.running_max),
                        transfers_max: Some(limits.transfers_max),
                    }),
                    None => StorageAction::Remove { path },
                };
                let act = ActOnStorage {
                    actor: &Actor::on_this_machine(),
                    action: &action,
                };
                self.db.run(&act).await.unwrap();
            }
            other => unreachable!("{other:?} is nothing of a plugin or a storage"),
        }
    }

    async fn on_plugin(&self, action: &PluginAction) {
        let act = ActOnPlugins {
            actor: &Actor::on_this_machine(),
            plugin: Some(PLUGIN),
            action,
        };
        self.db.run(&act).await.unwrap();
    }
}
