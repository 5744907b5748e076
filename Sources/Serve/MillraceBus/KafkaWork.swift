package import EventLog
internal import Foundation
package import KafkaLog

/// What a process that runs workers on Kafka is told by its environment.
package struct KafkaWork: Sendable {
    /// How long workers wait for brokers that were there, unless `MILLRACE_KAFKA_PATIENCE` says otherwise.
    static let patience = Duration.seconds(300)

    package var patience: Patience

    private static var environment: [String: String] { ProcessInfo.processInfo.environment }

    package static func set(
        _ environment: [String: String] = environment, tell: @escaping Notice
    ) throws -> KafkaWork {
        var limit = patience
        if let text = environment["MILLRACE_KAFKA_PATIENCE"], !text.isEmpty {
            guard let given = Duration(short: text) else {
                throw BusError(.configuration, "MILLRACE_KAFKA_PATIENCE is \(text), which is no time such as 5m")
            }
            limit = given
        }
        return KafkaWork(patience: Patience(max(limit, KafkaLog.answerLimit), tell: tell))
    }

    /// Who the process is to its groups, if it has workers, and where it stands.
    package static func membership(
        working: Bool, _ environment: [String: String] = environment
    ) throws -> Membership {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let rack = value("MILLRACE_RACK")
        guard working, let instance = value("MILLRACE_INSTANCE") else { return Membership(rack: rack) }
        // What Kafka allows in names, which it checks when a member joins.
        let isName = instance.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || ".-_".utf8.contains(byte)
        }
        guard isName, instance.utf8.count <= 249, instance != ".", instance != ".." else {
            throw BusError(
                .configuration,
                "MILLRACE_INSTANCE is \(instance): a name has letters, digits, dots, hyphens and underscores, 249 at most"
            )
        }
        return Membership(instance: instance, rack: rack)
    }
}
