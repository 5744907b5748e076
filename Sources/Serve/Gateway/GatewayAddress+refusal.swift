internal import Foundation
internal import MillraceBus
internal import NIOCore

extension GatewayAddress {
    /// Why nobody can listen here.
    ///
    /// - Parameter option: What takes another address.
    func refusal(_ error: IOError, option: String) -> BusError {
        switch error.errnoCode {
        case EADDRINUSE:
            BusError(
                .unavailable,
                "\(self) is taken: another process listens there; \(option) ADDRESS:PORT takes another, port 0 any that is free"
            )
        case EACCES:
            BusError(.unavailable, "\(self) is not allowed: ports below 1024 are an administrator's")
        case EADDRNOTAVAIL: BusError(.unavailable, "\(self) is not an address of this machine")
        default: BusError(.unavailable, "cannot listen on \(self): \(error)")
        }
    }
}
