using System.Diagnostics;
using Sandbox.Boot;
using Sandbox.Boot.Acpi;
using Snapshooter.Xunit;

namespace Sandbox.Unit.Tests.Boot;

/// <summary>The tables read back by ACPICA, which Linux has inside as well.</summary>
public sealed class AcpiTablesTests
{
    private const int Origin = 0xE_0000;

    [Theory]
    [InlineData("DSDT")]
    [InlineData("FACP")]
    [InlineData("APIC")]
    [InlineData("XSDT")]
    public void Table_Disassembled_IsWhatWasReviewed(string signature)
    {
        byte[] tables = AcpiTables.Build(new BootMachine(1UL << 30, CpuCount: 2, VirtioDeviceCount: 3));

        Snapshot.Match(Disassemble(signature, Find(tables, signature)), $"AcpiTables_{signature}");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 3)]
    [InlineData(254, 16)]
    public void EveryTable_OfAnyMachine_SumsToZeroAndDisassembles(int cpuCount, int deviceCount)
    {
        byte[] tables = AcpiTables.Build(new BootMachine(1UL << 30, cpuCount, deviceCount));

        Assert.Equal(0, tables[..20].Sum(value => value) & 0xFF);
        Assert.Equal(0, tables[..36].Sum(value => value) & 0xFF);
        Assert.True(tables.Length <= GuestLayout.AcpiTablesBytes);
        foreach (string signature in new[] { "XSDT", "FACP", "APIC", "DSDT" })
        {
            byte[] table = Find(tables, signature);
            Assert.Equal(0, table.Sum(value => value) & 0xFF);
            _ = Disassemble(signature, table);
        }

        string text = Disassemble("DSDT", Find(tables, "DSDT"));
        Assert.Equal(deviceCount, text.Split("LNRO0005").Length - 1);
    }

    [Fact]
    public void Pointers_LeadFromTheRsdpToEveryTable()
    {
        byte[] tables = AcpiTables.Build(new BootMachine(1UL << 30, 1, 1));

        int xsdt = (int)BitConverter.ToUInt64(tables, 24) - Origin;
        Assert.Equal("XSDT"u8.ToArray(), tables[xsdt..(xsdt + 4)]);
        int fadt = (int)BitConverter.ToUInt64(tables, xsdt + 36) - Origin;
        Assert.Equal("FACP"u8.ToArray(), tables[fadt..(fadt + 4)]);
        int madt = (int)BitConverter.ToUInt64(tables, xsdt + 44) - Origin;
        Assert.Equal("APIC"u8.ToArray(), tables[madt..(madt + 4)]);
        int dsdt = (int)BitConverter.ToUInt64(tables, fadt + 140) - Origin;
        Assert.Equal("DSDT"u8.ToArray(), tables[dsdt..(dsdt + 4)]);
    }

    [Theory]
    [InlineData(0x34, true)] // S5 with the enable bit
    [InlineData(0x14, false)] // the type without it
    [InlineData(0x20, false)]
    [InlineData(0xFF, false)]
    public void SleepControl_IsPowerOff_OnlyForS5(byte value, bool off) => Assert.Equal(off, AcpiPower.IsPowerOff(value));

    private static byte[] Find(byte[] tables, string signature)
    {
        int start = tables.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(signature));
        return tables[start..(start + BitConverter.ToInt32(tables, start + 4))];
    }

    private static string Disassemble(string signature, byte[] table)
    {
        string folder = Directory.CreateTempSubdirectory("acpi").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, $"{signature}.dat"), table);
            using Process iasl = Process.Start(new ProcessStartInfo("iasl", ["-d", $"{signature}.dat"])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            string output = iasl.StandardOutput.ReadToEnd() + iasl.StandardError.ReadToEnd();
            iasl.WaitForExit();
            string text = Path.Combine(folder, $"{signature}.dsl");
            Assert.True(iasl.ExitCode == 0 && File.Exists(text), output);
            Assert.DoesNotContain("Error", output, StringComparison.OrdinalIgnoreCase);

            // Up to the end of the comment stands what differs by version and time.
            string[] lines = File.ReadAllLines(text);
            int body = Array.FindIndex(lines, line => line.TrimStart().StartsWith("*/", StringComparison.Ordinal)) + 1;
            return string.Join('\n', lines[body..]).Trim();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
