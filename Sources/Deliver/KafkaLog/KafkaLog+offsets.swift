internal import EventLog
public import EventModel
internal import Kafka

extension KafkaLog {
    /// The end includes transactions still open, so that who has read up to it has seen how they ended.
    public func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        let bounds = try await asking(partitions) { partitions, time throws(KafkaError) in
            try await admin.bounds(of: partitions, within: time)
        }
        return bounds.reduce(into: [:]) { result, bound in
            result[TopicPartition(bound.key)] = Offset(bound.value.lowerBound)..<Offset(bound.value.upperBound)
        }
    }

    public func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        let bounds = try await bounds(of: partitions)
        let found = try await asking(partitions) { partitions, limit throws(KafkaError) in
            // Negative numbers mean other things to a broker, and no record of Kafka is from before 1970.
            try await admin.offsets(of: partitions, at: max(0, time.rawValue), within: limit)
        }
        return bounds.reduce(into: [:]) { result, bound in
            result[bound.key] = found[KafkaPartition(bound.key)].map { Offset($0) } ?? bound.value.upperBound
        }
    }

    public func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        let asked = partitions.map(KafkaPartition.init)
        let began = ContinuousClock.now
        var wait = BrokerWait(self, for: "the coordinator of group \(group)")
        defer { wait.end(well: false) }
        while true {
            do {
                let offsets = try await admin.committed(group, asked, within: wait.look)
                wait.end()
                return offsets.reduce(into: [:]) { $0[TopicPartition($1.key)] = Offset($1.value) }
            } catch let error where error.code == .unknownGroup {
                wait.end()
                return [:]
            } catch let error where error.code == .closed {
                throw LogError.wasClosed
            } catch {
                let told = LogError(error, doing: "the offsets of group \(group) could not be read")
                if error.code == .unstableOffset {
                    // A transaction in its last moments is waited for: its offsets will be there, or they will not.
                    if ContinuousClock.now - began >= KafkaLog.transactionLimit * 2 { throw told }
                } else {
                    guard error.mayPass else { throw told }
                    try wait.bear(told)
                }
                try await Task.sleep(for: wait.pause)
            }
        }
    }

    /// How long to wait before a broker that was not ready is asked again.
    static let pause: Duration = .milliseconds(20)

    /// Asks partitions' leaders, again where they are new or move. Topics are there before all leaders know it.
    private func asking<Answer>(
        _ partitions: [TopicPartition], _ ask: ([KafkaPartition], Duration) async throws(KafkaError) -> Answer
    ) async throws -> Answer {
        let asked = partitions.map(KafkaPartition.init)
        var wait = BrokerWait(self, for: "a leader of \(partitions.inWords)")
        defer { wait.end(well: false) }
        while true {
            do {
                try await check(partitions)
                let answer = try await ask(asked, wait.look)
                wait.end()
                return answer
            } catch let error as KafkaError where error.code == .closed {
                throw LogError.wasClosed
            } catch let error as KafkaError {
                let told = LogError(error, doing: "the partitions' offsets could not be read")
                // Of a partition that is there, as was just asked, this says that it has no leader.
                guard error.mayPass || told.kind == .unknownTopic else { throw told }
                try wait.bear(told)
            } catch let error as LogError where error.mayPass {
                try wait.bear(error)
            }
            try await Task.sleep(for: wait.pause)
            // Leaders that have moved are looked for by whoever asks next; here it is only whether the topics are there yet.
            do {
                try await learn()
            } catch {
                guard error.mayPass else { throw error }
                try wait.bear(error)
            }
        }
    }
}

extension KafkaError {
    /// Whether asking again may help: a leader or coordinator moves, or nobody answers.
    var mayPass: Bool { code.passes || LogError.Kind(self) == .unreachable || LogError.Kind(self) == .refused }
}

extension [TopicPartition] {
    /// The first, and how many more there are.
    var inWords: String {
        guard let first = self.min() else { return "nothing" }
        return count == 1 ? "\(first)" : "\(first) and \(count - 1) more"
    }
}
