internal import CRdkafka

extension Admin {
    /// How long one look for a broker takes, before what brokers have said meanwhile is heard.
    private static let look = Duration.milliseconds(250)
    /// How long a refusal must last where a broker on its way out looks the same, or where other brokers are to be heard.
    private static let doubt = Duration.seconds(1)

    /// Waits until some broker answers. A refusal ends it at once: only a person can mend it.
    ///
    /// - Parameter several: Other brokers may take the connection that one refuses.
    /// - Throws: ``BrokerRefusal``, or a ``KafkaError`` where none answers within the limit.
    public func connect(several: Bool) async throws {
        let outcome: Result<BrokerRefusal?, KafkaError> = await tried { [self] client, milliseconds in
            let deadline = ContinuousClock.now + .milliseconds(Int64(milliseconds))
            while true {
                let left = Swift.max(deadline - .now, .milliseconds(1))
                var answer: UnsafePointer<rd_kafka_metadata>?
                // Of no topic: who answers is there.
                let code = rd_kafka_metadata(client.rk, 0, nil, &answer, Swift.min(left, Self.look).milliseconds)
                if let answer { rd_kafka_metadata_destroy(answer) }
                hearNews()
                if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                    news.heard()
                    return .success(nil)
                }
                if let refusing = refusal {
                    let isCertain = refusing.refusal.isCertain && !several
                    if isCertain || .now - refusing.since >= Self.doubt { return .success(refusing.refusal) }
                }
                if ContinuousClock.now >= deadline { return .failure(KafkaError(code) ?? .closed) }
            }
        }
        if let refusal = try outcome.get() { throw refusal }
    }

    private func tried(
        _ body: @escaping @Sendable (Client, Int32) -> Result<BrokerRefusal?, KafkaError>
    ) async -> Result<BrokerRefusal?, KafkaError> {
        do throws(KafkaError) {
            return try await run { client, milliseconds throws(KafkaError) in body(client, milliseconds) }
        } catch {
            return .failure(error)
        }
    }
}
