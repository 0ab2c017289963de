namespace Sandbox.Device;

/// <summary>What an epoll entry belongs to.</summary>
internal enum LoopSource
{
    Control = 0,
    VhostUser = 1,
    Kick = 2,
    Backing = 3,
}

/// <summary>The 64 bits that epoll keeps for each fd: a source and an index.</summary>
internal static class LoopTag
{
    public static ulong Of(LoopSource source, int index) => ((ulong)source << 32) | (uint)index;

    public static LoopSource SourceOf(ulong tag) => (LoopSource)(tag >> 32);

    public static int IndexOf(ulong tag) => (int)(tag & 0x7FFF_FFFF);
}
