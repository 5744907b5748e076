internal import CRdkafka

/// Why a broker takes no connection from this client: what trying again does not mend by itself.
///
/// librdkafka tells it in one of a few codes and a sentence, of which this makes something to act on.
public struct BrokerRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a broker takes no connection for.
    public enum Reason: Sendable, Hashable, CaseIterable {
        /// The broker does not know the user, or the password, token or ticket is not his.
        case credentials
        /// The broker does not take that SASL mechanism.
        case mechanism
        /// The broker's certificate could not be verified.
        case certificate
        /// The broker wants a certificate of this client's, or does not take the one that it has.
        case clientCertificate
        /// TLS came about in no other way.
        case encryption
        /// One of the two speaks TLS or SASL and the other does not.
        case protocolMismatch
    }
    /// What it takes no connection for.
    public var reason: Reason
    /// librdkafka's own words, which begin with the broker.
    public var words: String
    /// What was wrong with the broker's certificate, where that is known.
    public var certificate: CertificateFault?
    /// Whether a broker that goes away in the middle of it looks the same, so that only its lasting tells.
    public var isCertain: Bool

    /// A refusal in a broker's or a library's words.
    public init(_ reason: Reason, _ words: String, certificate: CertificateFault? = nil, isCertain: Bool = true) {
        (self.reason, self.words, self.certificate, self.isCertain) = (reason, words, certificate, isCertain)
    }

    /// Nil where an error is none of that kind, as of a broker that is not there.
    public init?(_ error: KafkaError, certificate: CertificateFault? = nil) {
        let words = error.message
        func has(_ some: String...) -> Bool { some.contains { words.contains($0) } }
        let disconnected = has("Disconnected", "Broker transport failure", "Connection reset", "Broken pipe")
        switch error.code {
        case .authentication, .saslFailed:
            let isMechanism = has("mechanism handshake failed")
            self.init(isMechanism ? .mechanism : .credentials, words, isCertain: !disconnected)
        case .unsupportedMechanism: self.init(.mechanism, words)
        case .ssl, .transport, .corrupt, .illegalState:
            if has("wrong version number", "connecting to a PLAINTEXT broker", "http request") {
                // A listener without TLS may hang up, or take the handshake for a request.
                self.init(.protocolMismatch, words, isCertain: !disconnected)
            } else if has("SASL authentication error", "SASL authentication failure") {
                // Some brokers only hang up.
                self.init(.credentials, words, isCertain: false)
            } else if has("connecting to a SSL listener", "require SASL authentication") {
                self.init(.protocolMismatch, words, isCertain: false)
            } else if has("Invalid response size", "Invalid frame size") {
                // The first bytes of a TLS alert, read as a length.
                self.init(.protocolMismatch, words, isCertain: has(" 35251", " 35258"))
            } else if has("certificate verify failed", "could not be verified") {
                self.init(.certificate, words, certificate: certificate)
            } else if has(
                "certificate required", "alert bad certificate", "unknown ca", "alert certificate", "unexpected message"
            ) {
                self.init(.clientCertificate, words)
            } else if error.code == .ssl {
                self.init(.encryption, words, isCertain: !disconnected)
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// What it is and what to look at. Secrets are in none of it.
    ///
    /// - Parameters:
    ///   - mechanism: What `sasl.mechanism` is.
    ///   - library: librdkafka's version as `rd_kafka_version()` has it; nil for the one that runs.
    public func advice(mechanism: String?, library: Int32? = nil) -> String {
        let library = library ?? rd_kafka_version()
        switch reason {
        case .credentials:
            let scram = mechanism?.uppercased().hasPrefix("SCRAM") == true && library < Self.rightSCRAM
            return "the user or the password is wrong (sasl.username, sasl.password)"
                + (scram ? Self.wrongSCRAM(library) : "")
        case .mechanism: return "the broker does not take this SASL mechanism (sasl.mechanism)"
        case .certificate:
            let fault = certificate.map { ": \($0)" } ?? ""
            return
                "the broker's certificate could not be verified\(fault) (\(certificate?.setting ?? "ssl.ca.location"))"
        case .clientCertificate:
            return "the broker does not take this client's certificate, or wants one "
                + "(ssl.certificate.location, ssl.key.location)"
        case .encryption: return "TLS with the broker failed (security.protocol, and what begins with ssl.)"
        case .protocolMismatch:
            return
                "the broker's listener and this client do not speak the same protocol: one wants TLS or SASL and the other "
                + "does not (security.protocol, and the port)"
        }
    }

    public var description: String { words }

    /// Before 2.6.1 librdkafka's second message of SCRAM has a nonce that Kafka 4.0 refuses (its pull request 4895).
    private static let rightSCRAM: Int32 = 0x0206_01ff

    private static func wrongSCRAM(_ library: Int32) -> String {
        "; or the password is right and librdkafka is too old: before 2.6.1 SCRAM fails with Kafka 4.0 and newer, and this is "
            + "\(LibraryVersion.text(library)). Take a newer librdkafka, or PLAIN over TLS"
    }
}

/// A refusal that lasts.
public struct Refusing: Sendable, Hashable {
    /// What the last of them was refused for.
    public var refusal: BrokerRefusal
    /// When brokers began to refuse, and when the last was told to.
    public var since: ContinuousClock.Instant
    /// When brokers last refused.
    public var last: ContinuousClock.Instant
}

/// What OpenSSL found wrong with a certificate, by its number (X509_V_ERR).
public struct CertificateFault: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// OpenSSL's number: X509_V_ERR_CERT_HAS_EXPIRED is 10.
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public var description: String {
        switch rawValue {
        case 9: "it is not valid yet"
        case 10: "it has expired"
        case 18, 19: "it is signed by itself, and no CA that this client trusts"
        case 2, 20, 21, 27: "no CA that this client trusts has signed it"
        case 23: "it was revoked"
        case 62, 64: "it is another host's"
        default: "OpenSSL's error \(rawValue)"
        }
    }

    /// The property to look at.
    var setting: String {
        switch rawValue {
        case 9, 10, 23: "the broker's keystore, or this machine's clock"
        case 62, 64: "the broker's address, or ssl.endpoint.identification.algorithm"
        default: "ssl.ca.location"
        }
    }
}

/// Which librdkafka this process runs: the one that it was linked with or a newer one in its place.
public enum LibraryVersion {
    /// Such as `2.0.2`.
    public static var running: String { String(cString: rd_kafka_version_str()) }

    /// A number as `rd_kafka_version()` has it, 0xMMmmrrxx.
    static func text(_ number: Int32) -> String { "\(number >> 24).\((number >> 16) & 255).\((number >> 8) & 255)" }
}
