package dev.doorbell.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/// Finds functions of the C library and makes them callable, errno read in the same step as the result.
final class LibcLinker {
  private static final Linker LINKER = Linker.nativeLinker();

  private LibcLinker() {}

  static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
    return link(name, FunctionDescriptor.of(result, arguments), List.of());
  }

  static MethodHandle variadic(String name, MemoryLayout result, MemoryLayout... arguments) {
    return link(
        name, FunctionDescriptor.of(result, arguments), List.of(Linker.Option.firstVariadicArg(2)));
  }

  /// Restricted: the forms above must be those of the C library.
  @SuppressWarnings("restricted")
  private static MethodHandle link(
      String name, FunctionDescriptor form, List<Linker.Option> options) {
    List<Linker.Option> all = new ArrayList<>(options);
    all.add(Linker.Option.captureCallState("errno"));
    MemorySegment symbol =
        LINKER
            .defaultLookup()
            .find(name)
            .orElseThrow(
                () -> new UnsupportedOperationException("the C library has no function " + name));
    return LINKER.downcallHandle(symbol, form, all.toArray(Linker.Option[]::new));
  }
}
