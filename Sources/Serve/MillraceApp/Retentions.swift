internal import EventModel
internal import MillraceBus
internal import Quarantining

/// What is lost where topics do not keep all that somebody needs of them.
struct Retentions {
    /// Commands and outcomes that are kept for less are warned of: a handler that is down for so long would lose some.
    static let shortest = Duration.seconds(3600)

    let domains: [Domain]

    /// Of each topic that loses what is needed, what that is.
    func warnings(_ topics: [Topic]) -> [String] { topics.compactMap(warning) }

    /// Of those topics that keep nothing at all.
    func warningsOfNothingKept(_ topics: [Topic]) -> [String] {
        warnings(topics.filter { $0.cleanup == .delete && $0.retention == .zero })
    }

    private func warning(_ topic: Topic) -> String? {
        let kept: String
        if topic.cleanup == .compact {
            kept = "keeps only the newest record of each key"
        } else if let retention = topic.retention {
            kept =
                retention == .zero
                ? "has a retention of 0: every record is dropped at the next upkeep"
                : "keeps records for \(retention.short) only"
        } else {
            return nil
        }
        let losses = losses(topic)
        return losses.isEmpty ? nil : "\(topic.name) \(kept). \(losses.joined(separator: "; "))"
    }

    private func losses(_ topic: Topic) -> [String] {
        var losses: [String] = []
        for domain in domains where domain.decider != nil {
            let handler = "\(domain.name).handler"
            if topic.name == domain.eventsTopic {
                losses.append("\(handler) decides by all of them, and stops with 65 once its checkpoint is lost")
            }
            guard topic.cleanup == .compact || topic.retention ?? Self.shortest < Self.shortest else { continue }
            if topic.name == domain.commandsTopic {
                losses.append("commands that \(handler) has not read by then are never decided")
            }
            if topic.name == domain.outcomesTopic {
                losses.append("\(handler) forgets ids with them, and decides a command that is sent again anew")
            }
        }
        let reactions = domains.flatMap(\.reactions).filter { $0.remembers && $0.topics.contains(topic.name) }
        if !reactions.isEmpty {
            losses.append("\(names(reactions.map(\.name))) cannot fold again what it remembers of them")
        }
        let views = domains.flatMap(\.projections).filter { $0.topics.contains(topic.name) }
        if !views.isEmpty {
            losses.append(
                "\(names(views.map(\.name))) can be neither verified nor rebuilt, and a new version begins without them"
            )
        }
        if topic.name == QuarantineLog.topic.name { losses.append("workers forget which records wait") }
        return losses
    }

    private func names(_ names: [String]) -> String { names.joined(separator: ", ") }
}
