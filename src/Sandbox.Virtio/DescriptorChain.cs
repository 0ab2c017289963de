using Sandbox.Memory;

namespace Sandbox.Virtio;

/// <summary>
/// One request: the buffers of a descriptor chain, those the device reads and those it writes. Reusable; a queue fills it.
/// A device looks at bytes, never at descriptors: how a driver cuts a request into buffers means nothing (virtio 1.2 §2.7.4.1).
/// </summary>
public sealed class DescriptorChain
{
    /// <summary>The most descriptors one chain may have, in an indirect table too.</summary>
    public const int MaxDescriptors = GuestVector.MaxCapacity;

    private bool _seenWritable;
    private ulong _totalBytes;

    public DescriptorChain()
        : this(new GuestVector(MaxDescriptors), new GuestVector(MaxDescriptors))
    {
    }

    private DescriptorChain(GuestVector readable, GuestVector writable) => (Readable, Writable) = (readable, writable);

    /// <summary>What is left of the device-readable bytes.</summary>
    public GuestVector Readable { get; }

    /// <summary>What is left of the device-writable bytes.</summary>
    public GuestVector Writable { get; }

    /// <summary>The descriptor that names this chain in both rings.</summary>
    public ushort HeadIndex { get; private set; }

    /// <summary>Several, of which only those that are used take memory (<see cref="GuestVector.CreateMany"/>).</summary>
    public static DescriptorChain[] CreateMany(int count)
    {
        GuestVector[] vectors = GuestVector.CreateMany(2 * count, MaxDescriptors);
        DescriptorChain[] chains = new DescriptorChain[count];
        for (int index = 0; index < count; index++)
        {
            chains[index] = new DescriptorChain(vectors[2 * index], vectors[(2 * index) + 1]);
        }

        return chains;
    }

    /// <summary>Drops the buffers, before their memory may go away.</summary>
    public void Clear()
    {
        Readable.Clear();
        Writable.Clear();
        _seenWritable = false;
        _totalBytes = 0;
    }

    /// <summary>Walks a chain. <paramref name="head"/> is below the table's length; everything else is the driver's word.</summary>
    internal VirtqueueFault Take(GuestMemory memory, GuestSlice table, ushort head, bool indirectNegotiated)
    {
        Clear();
        HeadIndex = head;
        uint tableLength = table.LengthBytes / Descriptor.SizeBytes;
        uint index = head;
        // A chain visits no descriptor twice, so a walk longer than the table is a loop.
        for (uint remaining = tableLength; remaining != 0; remaining--)
        {
            Descriptor descriptor = Descriptor.Read(table, index);
            if (descriptor.Has(DescriptorFlags.Indirect))
            {
                return indirectNegotiated ? TakeIndirect(memory, descriptor) : VirtqueueFault.IndirectNotNegotiated;
            }

            VirtqueueFault fault = Add(memory, descriptor);
            if (fault != VirtqueueFault.None || !descriptor.Has(DescriptorFlags.Next))
            {
                return fault;
            }

            if (descriptor.Next >= tableLength)
            {
                return VirtqueueFault.NextOutOfRange;
            }

            index = descriptor.Next;
        }

        return VirtqueueFault.ChainTooLong;
    }

    private VirtqueueFault TakeIndirect(GuestMemory memory, Descriptor reference)
    {
        // §2.7.5.3.1: NEXT and INDIRECT never together. §2.7.5.3.2: the WRITE flag of the reference is ignored.
        if (reference.Has(DescriptorFlags.Next))
        {
            return VirtqueueFault.IndirectNested;
        }

        uint length = reference.LengthBytes;
        if (length == 0 || length % Descriptor.SizeBytes != 0 || length > MaxDescriptors * Descriptor.SizeBytes)
        {
            return VirtqueueFault.IndirectLengthInvalid;
        }

        if (!memory.TryGetSlice(reference.Address, length, out GuestSlice table))
        {
            return VirtqueueFault.BufferOutsideMemory;
        }

        uint tableLength = length / Descriptor.SizeBytes;
        uint index = 0;
        for (uint remaining = tableLength; remaining != 0; remaining--)
        {
            Descriptor descriptor = Descriptor.Read(table, index);
            if (descriptor.Has(DescriptorFlags.Indirect))
            {
                return VirtqueueFault.IndirectNested;
            }

            VirtqueueFault fault = Add(memory, descriptor);
            if (fault != VirtqueueFault.None || !descriptor.Has(DescriptorFlags.Next))
            {
                return fault;
            }

            if (descriptor.Next >= tableLength)
            {
                return VirtqueueFault.NextOutOfRange;
            }

            index = descriptor.Next;
        }

        return VirtqueueFault.ChainTooLong;
    }

    private VirtqueueFault Add(GuestMemory memory, Descriptor descriptor)
    {
        bool writable = descriptor.Has(DescriptorFlags.Write);
        if (_seenWritable && !writable)
        {
            return VirtqueueFault.ReadableAfterWritable;
        }

        _seenWritable = writable;
        if (descriptor.LengthBytes == 0)
        {
            return VirtqueueFault.None; // Carries nothing, so its address means nothing; it has cost a step of the walk.
        }

        _totalBytes += descriptor.LengthBytes;
        if (_totalBytes > uint.MaxValue)
        {
            return VirtqueueFault.ChainTooManyBytes;
        }

        if (!memory.TryGetSlice(descriptor.Address, descriptor.LengthBytes, out GuestSlice buffer))
        {
            return VirtqueueFault.BufferOutsideMemory;
        }

        return (writable ? Writable : Readable).TryAdd(buffer) ? VirtqueueFault.None : VirtqueueFault.ChainTooLong;
    }
}
