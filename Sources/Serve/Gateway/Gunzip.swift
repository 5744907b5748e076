internal import CZlib

/// Unpacks gzip (RFC 1952) that comes in chunks, in pieces of bounded size.
final class Gunzip {
    private static let piece = 65_536
    /// How many times as much may come out as went in: what is over that is no text that anybody wrote.
    private static let ratio = 200
    /// Below this much, any ratio is fine.
    private static let free = 1_000_000

    private let stream: UnsafeMutablePointer<z_stream>
    private var isBetween = true
    private var (taken, given) = (0, 0)

    init() throws(Problem) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16 above the window's size asks for gzip (zlib's manual).
        if inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) != Z_OK {
            stream.deallocate()
            throw Problem(.internalError, "no memory for gzip")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// - Parameter body: Given what comes out, piece by piece; says whether to go on.
    func add(_ bytes: [UInt8], _ body: ([UInt8]) throws -> Bool) throws {
        var rest = bytes[...]
        taken += bytes.count
        while true {
            if isBetween {
                if rest.isEmpty { return }
                inflateReset(stream)
                isBetween = false
            }
            var result: Int32 = 0
            var left = 0
            let out = [UInt8](unsafeUninitializedCapacity: Self.piece) { buffer, count in
                rest.withUnsafeBufferPointer { input in
                    // zlib reads through this pointer and does not write.
                    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                    stream.pointee.avail_in = UInt32(input.count)
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    result = inflate(stream, Z_NO_FLUSH)
                    left = Int(stream.pointee.avail_in)
                }
                count = buffer.count - Int(stream.pointee.avail_out)
            }
            rest = rest.suffix(left)
            given += out.count
            if given > Self.free, given / Self.ratio > taken {
                throw Problem(.contentTooLarge, "the body unpacks to over \(Self.ratio) times its size")
            }
            if result == Z_STREAM_END {
                isBetween = true
            } else if result != Z_OK && result != Z_BUF_ERROR {
                throw Problem(.badRequest, "the body's gzip data is damaged")
            }
            if !out.isEmpty, try !body(out) { return }
            if rest.isEmpty && out.count < Self.piece { return }
        }
    }

    /// - Throws: ``Problem`` where something is missing.
    func end() throws(Problem) {
        if !isBetween || taken == 0 {
            throw Problem(.badRequest, "the body ends before its gzip data does; it was cut short")
        }
    }
}
