package import EventLog
internal import EventModel
package import Quarantining

/// What a worker made of a wish for records that wait.
package struct QuarantineAnswer: Sendable {
    package var group: QuarantineGroup
    /// Nil where no worker has answered.
    package var end: RedriveResult?

    /// Asks the workers for some keys, and waits for their answers.
    ///
    /// - Parameter drop: How many records of each key are given up before the others are handled.
    package static func ask(
        for groups: [QuarantineGroup], drop: Int, on log: any EventLog, within patience: Duration
    ) async throws -> [QuarantineAnswer] {
        let quarantine = log.quarantine()
        let asked = groups.map { (group: $0, request: $0.request(drop: drop)) }
        try await quarantine.append(asked.map { .asked($0.request) })
        let deadline = ContinuousClock.now + patience
        while true {
            let ended = try await quarantine.read().ended
            let answers = asked.map { QuarantineAnswer(group: $0.group, end: ended[$0.request.id]) }
            if answers.allSatisfy({ $0.end != nil }) || .now >= deadline { return answers }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    package static let columns = ["worker", "key", "handled", "dropped", "waiting", "reason"]

    /// Nil where no worker has answered.
    package var members: Members? {
        end.map { end in
            [
                ("worker", JSON.string(group.worker)), ("key", JSON.string(group.key.text)),
                ("handled", String(end.redriven)), ("dropped", String(end.dropped)),
                ("waiting", String(max(0, end.left))),
                ("reason", end.reason.isEmpty ? "null" : JSON.string(end.reason)),
            ]
        }
    }
}

extension [QuarantineAnswer] {
    /// What there is to tell where not all went well.
    package func failure(within patience: Duration) -> Explanation? {
        if let silent = first(where: { $0.end == nil })?.group.worker {
            return Explanation(
                .tryAgain,
                """
                no \(silent) answered within \(patience.short). The request is on the log and will be carried \
                out when one runs: \(Program.name) work \(silent)
                """)
        }
        if let answer = first(where: { $0.end?.left != 0 }), let end = answer.end {
            return Explanation(.data, "\(answer.group.worker) \(answer.group.key.text) waits still: \(end.reason)")
        }
        return nil
    }
}

extension QuarantineGroup {
    package static let columns = ["worker", "key", "first", "time", "waiting", "attempts", "reason"]

    /// What `millrace quarantine list` shows.
    package var members: Members {
        [
            ("worker", JSON.string(worker)), ("key", JSON.string(key.text)), ("first", JSON.string(place)),
            ("time", JSON.string(time.rfc3339)), ("waiting", String(items.count)), ("attempts", String(attempts)),
            ("reason", JSON.string(reason)),
        ]
    }
}
