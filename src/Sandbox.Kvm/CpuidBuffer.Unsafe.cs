using System.Runtime.InteropServices;
using Sandbox.Kvm.Abi;

namespace Sandbox.Kvm;

/// <summary>The bytes of a kvm_cpuid2 with its entries behind it.</summary>
internal static unsafe class CpuidBuffer
{
    /// <summary>Room for <paramref name="count"/> entries, and a head that says so.</summary>
    public static byte[] Create(int count)
    {
        // SAFETY: (here and below) only the sizes of two structs; every access is checked.
        byte[] buffer = new byte[sizeof(kvm_cpuid2) + (count * sizeof(kvm_cpuid_entry2))];
        kvm_cpuid2 head = new() { nent = (uint)count };
        MemoryMarshal.Write(buffer, in head);
        return buffer;
    }

    /// <summary>The entries that the head counts; more than the buffer holds throws.</summary>
    public static Span<kvm_cpuid_entry2> Entries(Span<byte> buffer)
    {
        int count = (int)MemoryMarshal.Read<kvm_cpuid2>(buffer).nent;
        return MemoryMarshal.Cast<byte, kvm_cpuid_entry2>(buffer[sizeof(kvm_cpuid2)..])[..count];
    }
}
