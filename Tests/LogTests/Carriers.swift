import EventLog
import Foundation
import LocalLog

extension Carrier {
    /// Every log that the contract holds for.
    static let all = [memory, local, mock] + (broker.map { [$0] } ?? [])

    static let memory = Carrier(
        name: "memory", promises: [.transactions, .fencing, .timeIndex, .atomicAppend, .contiguous], maintained: true
    ) {
        Home(open: { MemoryLog() })
    }

    static let local = Carrier(
        name: "local", promises: [.durable, .transactions, .fencing, .timeIndex, .atomicAppend, .shared, .contiguous],
        maintained: true
    ) {
        let directory = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
        return Home(
            open: { try await LocalLog.open(directory: directory) },
            clear: { try? FileManager.default.removeItem(atPath: directory) })
    }
}
