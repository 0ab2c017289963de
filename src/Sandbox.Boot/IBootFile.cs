using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>A kernel or an initial RAM disk, read at offsets. It may be tens of megabytes: the loader keeps none of it, and file bytes go straight to guest memory.</summary>
public interface IBootFile
{
    ulong LengthBytes { get; }

    /// <summary>Reads exactly the length of <paramref name="destination"/>; false when the file has less or cannot be read.</summary>
    bool TryRead(ulong offset, Span<byte> destination);

    /// <summary>Reads exactly the length of <paramref name="destination"/> into guest memory; false when the file has less or cannot be read.</summary>
    bool TryCopyTo(ulong offset, GuestSlice destination);
}
