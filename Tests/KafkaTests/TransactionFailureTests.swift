import EventLog
import Kafka
import Testing

@testable import KafkaLog

@Suite("A transaction that failed")
struct TransactionFailureTests {
    @Test(arguments: [
        (KafkaError.Code.fencedInstance, LogError.Kind.replaced), (.illegalGeneration, .fenced),
        (.unknownMember, .fenced), (.tooLarge, .tooLarge), (.topicDenied, .denied), (.transactionDenied, .denied),
        (.unknownTopic, .unknownTopic), (.closed, .closed),
    ]) func `is told as what trying again would not mend`(_ code: KafkaError.Code, _ kind: LogError.Kind) {
        let error = LogError(transaction: KafkaError(code, "no"))
        #expect(error.kind == kind && error.message.contains("no"), "\(error)")
    }

    @Test(arguments: [KafkaError.Code.timedOut, .transport, .messageTimedOut, .rebalancing])
    func `is one that was given up where another try may do`(_ code: KafkaError.Code) {
        #expect(LogError(transaction: KafkaError(code, "no")).kind == .aborted)
    }
}
