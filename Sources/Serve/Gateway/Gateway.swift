internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The way in over HTTP.
package struct Gateway {}
