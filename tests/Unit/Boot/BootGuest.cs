using System.Buffers.Binary;
using System.Text;
using Sandbox.Boot;
using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Unit.Tests.Boot;

/// <summary>Memory to load a kernel into, and a look at what came of it.</summary>
internal sealed class BootGuest : IDisposable
{
    private readonly FdHandle _file;
    private readonly BootMachine _machine;

    public BootGuest(ulong memoryBytes = 32 << 20)
    {
        _machine = new BootMachine(memoryBytes, CpuCount: 2, VirtioDeviceCount: 3);
        _file = MemFd.CreateSealed("boot test", (long)memoryBytes);
        Memory = GuestMemory.Map(_file.Number, GuestLayout.GetMemoryRegions(memoryBytes));
    }

    public GuestMemory Memory { get; }

    public BootPlan Plan { get; private set; }

    public KernelFault Load(byte[] kernel, byte[]? initrd = null, string commandLine = "quiet")
    {
        KernelFault fault = KernelLoader.Load(
            new MemoryBootFile(kernel), initrd is null ? null : new MemoryBootFile(initrd), Encoding.UTF8.GetBytes(commandLine), _machine, Memory, out BootPlan plan);
        Plan = plan;
        return fault;
    }

    public byte[] Read(ulong address, int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        Assert.True(Memory.TryRead(new GuestAddress(address), bytes));
        return bytes;
    }

    public uint Read32(ulong address) => BinaryPrimitives.ReadUInt32LittleEndian(Read(address, 4));

    public ulong Read64(ulong address) => BinaryPrimitives.ReadUInt64LittleEndian(Read(address, 8));

    public void Dispose()
    {
        Memory.Dispose();
        _file.Dispose();
    }
}
