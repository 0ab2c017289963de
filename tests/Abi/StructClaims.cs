using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Sandbox.Abi.Tests;

/// <summary>
/// Claims about structs. A struct of an Abi namespace bears its C name, and its fields theirs. Two shapes are not structs of
/// their own in C: an inline array, and <c>OUTER_FIELD</c>, the type of an anonymous struct inside OUTER.
/// </summary>
internal static class StructClaims
{
    internal static IEnumerable<AbiClaim> Of(IReadOnlyCollection<Type> types)
    {
        foreach (Type type in types.Where(type => type.IsValueType && !type.IsEnum && !IsArray(type) && !IsAnonymous(type, types)))
        {
            string name = CName(type);
            // A type with explicit offsets shows the part of a struct that we use; its size is then no claim.
            if (!type.IsExplicitLayout || type.StructLayoutAttribute!.Size != 0)
            {
                yield return new AbiClaim($"sizeof({name}) == {SizeOf(type)}", $"size of {type.FullName}");
            }

            foreach (AbiClaim claim in Fields(type, name, "", 0, types))
            {
                yield return claim;
            }
        }
    }

    /// <summary>Claims for a struct whose names are ours, not C's.</summary>
    internal static IEnumerable<AbiClaim> Translated(Type type, string name, params (string Ours, string Theirs)[] fields)
    {
        yield return new AbiClaim($"sizeof({name}) == {SizeOf(type)}", $"size of {type.FullName}");
        foreach ((string ours, string theirs) in fields)
        {
            FieldInfo field = type.GetField(ours, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)!;
            yield return new AbiClaim($"offsetof({name}, {theirs}) == {OffsetOf(field)}", $"offset of {type.FullName}.{ours}");
            yield return new AbiClaim($"sizeof((({name} *)0)->{theirs}) == {SizeOf(field.FieldType)}", $"size of {type.FullName}.{ours}");
        }
    }

    internal static int SizeOf(Type type)
    {
        DynamicMethod method = new("size", typeof(int), []);
        ILGenerator code = method.GetILGenerator();
        code.Emit(OpCodes.Sizeof, type);
        code.Emit(OpCodes.Ret);
        return (int)method.Invoke(null, [])!;
    }

    private static IEnumerable<AbiClaim> Fields(Type type, string root, string prefix, int start, IReadOnlyCollection<Type> types)
    {
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            string path = prefix + field.Name;
            int offset = start + OffsetOf(field);
            yield return new AbiClaim($"offsetof({root}, {path}) == {offset}", $"offset of {type.FullName}.{field.Name}");
            if (field.FieldType.IsValueType && IsAnonymous(field.FieldType, types))
            {
                foreach (AbiClaim claim in Fields(field.FieldType, root, path + ".", offset, types))
                {
                    yield return claim;
                }
            }
            else
            {
                // Inside a struct of which we show a part, an array may be shown by its first elements.
                string compare = type.IsExplicitLayout || prefix.Length > 0 ? ">=" : "==";
                yield return new AbiClaim($"sizeof((({root} *)0)->{path}) {compare} {SizeOf(field.FieldType)}", $"size of {type.FullName}.{field.Name}");
            }
        }
    }

    private static int OffsetOf(FieldInfo field)
    {
        DynamicMethod method = new("offset", typeof(int), []);
        ILGenerator code = method.GetILGenerator();
        LocalBuilder local = code.DeclareLocal(field.DeclaringType!);
        code.Emit(OpCodes.Ldloca, local);
        code.Emit(OpCodes.Ldflda, field);
        code.Emit(OpCodes.Conv_U);
        code.Emit(OpCodes.Ldloca, local);
        code.Emit(OpCodes.Conv_U);
        code.Emit(OpCodes.Sub);
        code.Emit(OpCodes.Conv_I4);
        code.Emit(OpCodes.Ret);
        return (int)method.Invoke(null, [])!;
    }

    private static string CName(Type type) => type.Name.EndsWith("_t", StringComparison.Ordinal) ? type.Name : "struct " + type.Name;

    private static bool IsArray(Type type) => type.GetCustomAttribute<InlineArrayAttribute>() is not null;

    private static bool IsAnonymous(Type type, IEnumerable<Type> types) =>
        !IsArray(type) && types.Any(outer => outer.IsValueType && outer.GetFields().Any(field => field.FieldType == type && type.Name == $"{outer.Name}_{field.Name}"));
}
