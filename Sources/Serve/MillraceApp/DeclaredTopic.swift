internal import EventModel
internal import MillraceBus

/// A topic as a deployment declares it, and which of its choices somebody has made. What nobody has chosen is not compared with
/// the log.
struct DeclaredTopic: Hashable {
    /// What a deployment may choose.
    enum Choice: String, CaseIterable {
        case partitions, replication, retention
        case minInSync = "min.insync.replicas"
        case maxMessageBytes = "max.message.bytes"
    }

    var topic: Topic
    var chosen: Set<Choice>

    /// As the code has it where there is no file: it knows of one machine, and of no replicas.
    init(builtIn topic: Topic) { (self.topic, chosen) = (topic, [.partitions, .retention]) }

    /// One that a file names: what it does not say is as the code has it, and chosen by nobody.
    init(named topic: Topic) { (self.topic, chosen) = (topic, []) }

    /// How the topic on the log is another than this one, in words.
    ///
    /// - Parameter isBroker: Whether the log has replicas and a broker's settings.
    func differences(from on: Topic, isBroker: Bool) -> [String] {
        var found: [String] = []
        func compare<T: Equatable>(_ what: String, _ declared: T, _ has: T, _ words: (T) -> String) {
            if declared == has { return }
            found.append("\(topic.name): \(what) \(words(declared)) declared, the log has \(words(has))")
        }
        if chosen.contains(.partitions), on.partitions != topic.partitions {
            found.append("\(topic.name): \(topic.partitions) partitions declared, the log has \(on.partitions)")
        }
        compare("cleanup", topic.cleanup, on.cleanup, \.rawValue)
        compare("clock", topic.clock, on.clock, \.rawValue)
        if chosen.contains(.retention) {
            compare("retention", topic.retention, on.retention) { $0?.short ?? "forever" }
        }
        if !isBroker { return found }
        if chosen.contains(.replication) { compare("replication", topic.replication, on.replication) { String($0) } }
        let number: (Int?) -> String = { $0.map { String($0) } ?? "none" }
        for (choice, declared, has) in [
            (Choice.minInSync, topic.minInSync, on.minInSync),
            (.maxMessageBytes, topic.maxMessageBytes, on.maxMessageBytes),
        ] where chosen.contains(choice) { compare(choice.rawValue, declared, has, number) }
        return found
    }
}
