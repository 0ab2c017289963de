using System.Runtime.CompilerServices;
using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>A kernel whose segments are in guest memory.</summary>
/// <param name="Entry">How it is to be entered.</param>
/// <param name="EntryPoint">Where.</param>
/// <param name="Occupied">The memory it fills, unpacking room included.</param>
/// <param name="MaxCommandLineBytes">The longest command line it takes, without the NUL.</param>
/// <param name="InitrdLimit">The initial RAM disk must end at or below this address.</param>
/// <param name="SetupHeader">The setup header of a bzImage, to go back into the zero page; empty for ELF.</param>
internal readonly record struct LoadedKernel(
    BootEntry Entry, GuestAddress EntryPoint, Extent Occupied, int MaxCommandLineBytes, ulong InitrdLimit, SetupHeader SetupHeader);

/// <summary>The bytes of a setup header as the file has them: a value, so that a kernel carries it without an allocation.</summary>
[InlineArray(MaxBytes)]
internal struct SetupHeader
{
    /// <summary>Room from offset 0x1F1 of the zero page to its e820 table at 0x2D0, less what is kept for EDD at 0x290.</summary>
    public const int MaxBytes = 0x290 - 0x1F1;
    private byte _first;
}
