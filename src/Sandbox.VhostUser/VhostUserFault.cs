namespace Sandbox.VhostUser;

/// <summary>What a peer did wrong. Each ends the session: there is no way to agree again on what the next byte means.</summary>
public enum VhostUserFault
{
    None,

    /// <summary>The version bits are not 1, or unknown flag bits are set.</summary>
    BadHeaderFlags,

    /// <summary>A request number without a row in the table.</summary>
    UnknownRequest,

    /// <summary>A known request at a moment when it is not allowed.</summary>
    RequestOutOfOrder,

    /// <summary>A request that belongs to a protocol feature that was not negotiated.</summary>
    FeatureNotNegotiated,

    /// <summary>The payload has another size than the request demands, or disagrees with a count inside it.</summary>
    BadPayloadSize,

    /// <summary>More or fewer file descriptors came than the request carries.</summary>
    BadFdCount,

    /// <summary>Feature bits that were not offered, or too few for what this project speaks (VIRTIO_F_VERSION_1).</summary>
    BadFeatures,

    /// <summary>A memory table with no or too many regions, or one that is empty, unaligned, wraps, or overlaps another.</summary>
    BadMemoryTable,

    /// <summary>A queue index beyond the device's queues.</summary>
    BadQueueIndex,

    /// <summary>A ring size of zero, not a power of two, or above the device's maximum; or a base that is no ring index.</summary>
    BadQueueSize,

    /// <summary>A ring address that is unaligned or not inside one region of the memory table.</summary>
    BadRingAddress,

    /// <summary>A change of a running ring that would pull it away under the device.</summary>
    RingIsRunning,

    /// <summary>A ring was started before its size, addresses or the memory table had been given.</summary>
    RingNotConfigured,

    /// <summary>A boolean that is neither 0 nor 1, or a reserved field that is not zero.</summary>
    BadValue,

    /// <summary>The area for the records of requests in flight is too small for its queues, too large, or not on a page border.</summary>
    BadInflightArea,

    /// <summary>Frontend only: the reply answers another request, or is no reply.</summary>
    UnexpectedReply,

    /// <summary>Frontend only: the backend answered that the request failed.</summary>
    Refused,

    /// <summary>Frontend only: the backend offers too few queues, no protocol features, or no configuration space.</summary>
    BackendTooWeak,
}
