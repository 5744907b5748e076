internal import EventModel
internal import Foundation
package import MillraceBus
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// A certificate and its key, in PEM files, for all who connect from now on.
package final class GatewayTLS: Sendable {
    private struct Identity: Sendable {
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
        var expires: Timestamp
    }
    private let certificate: String
    private let key: String
    private let identity: Mutex<Identity>

    /// - Parameters:
    ///   - certificate: The file of the certificate and those that lead from it to one that clients know.
    ///   - key: The file of the certificate's private key.
    /// - Throws: ``BusError`` where they cannot be used.
    package init(certificate: String, key: String) throws(BusError) {
        (self.certificate, self.key) = (certificate, key)
        identity = Mutex(try Self.read(certificate, key, at: now()))
    }

    /// Reads the files again. Connections that are there go on as they began.
    ///
    /// - Throws: ``BusError`` where they cannot be used; those that were read before stay.
    package func reload() throws(BusError) {
        let read = try Self.read(certificate, key, at: now())
        identity.withLock { $0 = read }
    }

    /// Until when the certificate holds.
    var expires: Timestamp { identity.withLock { $0.expires } }

    /// TLS 1.2 or newer, each time with the certificate that was read last.
    var configuration: TLSConfiguration {
        let first = identity.withLock { $0 }
        var configuration = Self.configuration(first)
        configuration.sslContextCallback = { [self] _, promise in
            let identity = identity.withLock { $0 }
            var change = NIOSSLContextConfigurationOverride()
            change.certificateChain = identity.chain.map { .certificate($0) }
            change.privateKey = .privateKey(identity.key)
            promise.succeed(change)
        }
        return configuration
    }

    private static func configuration(_ identity: Identity) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: identity.chain.map { .certificate($0) }, privateKey: .privateKey(identity.key))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private static func read(_ certificate: String, _ key: String, at now: Timestamp) throws(BusError) -> Identity {
        func refusal(_ why: String) -> BusError { BusError(.configuration, why) }
        for file in [certificate, key] where access(file, R_OK) != 0 {
            throw BusError(.noInput, "the file \(file) for TLS cannot be read: \(String(cString: strerror(errno)))")
        }
        let target = URL(fileURLWithPath: key).resolvingSymlinksInPath().path
        let mode = (try? FileManager.default.attributesOfItem(atPath: target))?[.posixPermissions] as? Int ?? 0
        if mode & 0o007 != 0 {
            throw refusal("others can read the private key in \(key) (mode \(String(mode, radix: 8))): chmod o= \(key)")
        }
        guard let chain = try? NIOSSLCertificate.fromPEMFile(certificate), let leaf = chain.first else {
            throw refusal("\(certificate) has no certificate in PEM (-----BEGIN CERTIFICATE-----)")
        }
        guard let secret = try? NIOSSLPrivateKey(file: key, format: .pem) else {
            throw refusal("\(key) has no private key in PEM without a passphrase (-----BEGIN PRIVATE KEY-----)")
        }
        let identity = Identity(
            chain: chain, key: secret, expires: Timestamp(Int64(leaf.notValidAfter) * 1000))
        if now >= identity.expires {
            throw refusal("the certificate in \(certificate) expired at \(identity.expires.rfc3339)")
        }
        if (try? NIOSSLContext(configuration: configuration(identity))) == nil {
            throw refusal("the private key in \(key) is not that of the first certificate in \(certificate)")
        }
        return identity
    }
}
