import Kafka
import Testing

/// What librdkafka says of brokers that take no connection, and what is made of it.
@Suite struct RefusalTests {
    private static let sentences: [(Int32, String, BrokerRefusal.Reason?, isCertain: Bool)] = [
        (
            -169,
            "sasl_plaintext://b:9092/bootstrap: SASL authentication error: Authentication failed (after 3ms in state AUTH_REQ)",
            .credentials, true
        ),
        (
            -169,
            "sasl_plaintext://b:9092/bootstrap: SASL authentication error: SaslAuthenticateRequest failed: Local: Broker transport failure",
            .credentials, false
        ),
        (
            -169,
            "sasl_plaintext://b:9092/bootstrap: SASL authentication failure: Disconnected: check client PLAIN credentials and broker logs",
            .credentials, false
        ),
        (
            -195,
            "sasl_plaintext://b:9092/bootstrap: SASL authentication error: SaslAuthenticateRequest failed: Local: Broker transport failure (after 2ms in state DOWN)",
            .credentials, false
        ),
        (58, "b:9092/1: SASL authentication error: no", .credentials, true),
        (
            -169,
            "sasl_plaintext://b:9092/bootstrap: SASL GSSAPI mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: PLAIN,SCRAM-SHA-256",
            .mechanism, true
        ),
        (
            -181,
            "ssl://b:9092/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified, verify that ssl.ca.location is correctly configured",
            .certificate, true
        ),
        (
            -181, "ssl://b:9092/bootstrap: SSL handshake failed: error:0A00010B:SSL routines::wrong version number",
            .protocolMismatch, true
        ),
        (
            -195,
            "ssl://b:9092/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener? (after 2ms in state SSL_HANDSHAKE)",
            .protocolMismatch, false
        ),
        (
            -195,
            "b:9092/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10",
            .protocolMismatch, false
        ),
        (
            -195,
            "b:9092/bootstrap: Disconnected: verify that security.protocol is correctly configured, broker might require SASL authentication",
            .protocolMismatch, false
        ),
        (
            -199,
            "b:9092/bootstrap: Receive failed: Invalid response size 352518912 (0..100000000): increase receive.message.max.bytes",
            .protocolMismatch, true
        ),
        (
            -181,
            "ssl://b:9092/bootstrap: Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required",
            .clientCertificate, true
        ),
        (
            -181,
            "ssl://b:9092/bootstrap: SSL handshake failed: error:0A000438:SSL routines::tlsv1 alert internal error",
            .encryption, true
        ),
        (-195, "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused", nil, true),
        (-195, "b:9092/1: Disconnected (after 200ms in state UP)", nil, true),
        (-193, "b:9092/bootstrap: Failed to resolve 'b:9092': Name or service not known", nil, true),
        (29, "Broker: Topic authorization failed", nil, true),
    ]

    @Test(arguments: sentences.indices)
    func `each way in which brokers take no connection is told from the others, and from brokers that are away`(
        _ i: Int
    ) {
        let (code, words, reason, isCertain) = Self.sentences[i]
        let refusal = BrokerRefusal(KafkaError(KafkaError.Code(rawValue: code), words))
        #expect(refusal?.reason == reason, "\(words)")
        if let refusal { #expect(refusal.isCertain == isCertain && refusal.words == words, "\(words)") }
    }

    @Test func `a failed SCRAM of an old library says that the library may be what is wrong, and of no other`() {
        let refusal = BrokerRefusal(.credentials, "b: SASL authentication error: invalid credentials")
        func says(_ mechanism: String?, _ library: Int32) -> Bool {
            refusal.advice(mechanism: mechanism, library: library).contains("before 2.6.1 SCRAM fails with Kafka 4.0")
        }
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512", "scram-sha-512"] {
            #expect(says(mechanism, 0x0200_02ff) && says(mechanism, 0x0206_00ff))
            #expect(!says(mechanism, 0x0206_01ff) && !says(mechanism, 0x0208_00ff))
        }
        #expect(!says("PLAIN", 0x0200_02ff) && !says("OAUTHBEARER", 0x0200_02ff) && !says(nil, 0x0200_02ff))
        #expect(refusal.advice(mechanism: "SCRAM-SHA-512", library: 0x0200_02ff).contains("this is 2.0.2"))
    }

    @Test func `what is wrong with a certificate is said where it is known`() {
        func advice(_ fault: Int32?) -> String {
            BrokerRefusal(.certificate, "b", certificate: fault.map { CertificateFault(rawValue: $0) }).advice(
                mechanism: nil)
        }
        #expect(advice(10).contains("it has expired"))
        #expect(advice(62).contains("another host's"))
        #expect(advice(20).contains("no CA that this client trusts has signed it (ssl.ca.location)"))
        #expect(advice(19).contains("signed by itself"))
        #expect(advice(nil).contains("could not be verified (ssl.ca.location)"))
        #expect(advice(77).contains("OpenSSL's error 77"))
    }

    @Test func `each reason has its own advice, with the setting to look at`() {
        let advice = BrokerRefusal.Reason.allCases.map { BrokerRefusal($0, "b").advice(mechanism: nil) }
        #expect(Set(advice).count == advice.count)
        #expect(advice.allSatisfy { $0.contains("sasl.") || $0.contains("ssl.") || $0.contains("security.protocol") })
    }

    @Test func `the library that runs has a version`() {
        #expect(LibraryVersion.running.firstMatch(of: /^\d+\.\d+\.\d+/) != nil)
    }
}
