namespace Sandbox.Memory.Abi;

/// <summary>Advice that Tmds.LibC lacks (madvise(2)).</summary>
internal static class MemoryAdvice
{
    internal const int MADV_REMOVE = 9;
}
