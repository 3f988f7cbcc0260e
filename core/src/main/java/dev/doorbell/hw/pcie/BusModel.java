package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A PCI bus: the root complex's, a link below a port, the inside of a switch, or a conventional bus.
///
/// Functions have positions: device and function number, and above 255 those of VFs on later bus numbers. Safe for use from many threads.
public final class BusModel {
  private static final int DEVICE_NUMBERS = 0x100;

  private final Above above;
  private final ConcurrentSkipListMap<Integer, FunctionModel> functions =
      new ConcurrentSkipListMap<>();
  // The same functions in order, made anew for each that is added: an access walks them and
  // allocates nothing.
  private volatile FunctionModel[] decoders = {};
  // The whole hierarchy's, once the bus is part of one.
  private volatile AtomicLong changes = new AtomicLong();

  /// What lies above a bus.
  interface Above {
    /// {@return the number of the bus below}
    int busNumber();

    /// {@return whether functions of the bus below see each other's requests}
    boolean peersDecode(FunctionModel from, long address);

    /// {@return the way on from below for a write that no peer takes; null when it is blocked}
    ///
    /// @param state the hierarchy's changes before the way was looked for
    MessageWays.@Nullable Way wayUp(int requesterId, long address, long state);

    /// Takes a write that no peer took.
    BusOutcome writeUp(int requesterId, long address, long value, int bytes);

    /// Answers a read that no peer answered.
    BusRead readUp(int requesterId, long address, int bytes);
  }

  BusModel(Above above) {
    this.above = above;
  }

  /// Puts a function on this bus.
  ///
  /// @param position device number times 8 plus function number; above 255 for VFs on later bus numbers
  /// @throws IllegalArgumentException when the position is taken
  public void add(int position, FunctionModel function) {
    if (position < 0 || functions.putIfAbsent(position, function) != null) {
      throw new IllegalArgumentException(
          "position 0x%x of bus %02x is taken".formatted(position, number()));
    }
    function.attach(this, position);
    synchronized (functions) {
      decoders = functions.values().toArray(FunctionModel[]::new);
    }
    changed();
  }

  /// {@return how often something changed that ways of requests depend on, as the whole hierarchy counts it}
  AtomicLong changes() {
    return changes;
  }

  /// Becomes part of a hierarchy with all that is below.
  void join(AtomicLong hierarchy) {
    changes = hierarchy;
    functions.values().forEach(f -> f.join(hierarchy));
    changed();
  }

  /// Counts a change, after it was made.
  void changed() {
    changes.incrementAndGet();
  }

  /// {@return its number at the moment, as software programmed it}
  public int number() {
    return above.busNumber();
  }

  /// {@return the function at a position}
  public Optional<FunctionModel> at(int position) {
    return Optional.ofNullable(functions.get(position));
  }

  /// {@return the requester id of a position at the moment}
  int requesterId(int position) {
    return (number() * DEVICE_NUMBERS + position) & 0xffff;
  }

  /// {@return the way upwards for a function of this bus}
  DmaPort port(FunctionModel from) {
    return new DmaPort() {
      @Override
      public BusOutcome write(int requesterId, long address, long value, int bytes) {
        return writeFrom(from, requesterId, address, value, bytes);
      }

      @Override
      public BusRead read(int requesterId, long address, int bytes) {
        return readFrom(from, requesterId, address, bytes);
      }
    };
  }

  BusOutcome writeFrom(FunctionModel from, int requesterId, long address, long value, int bytes) {
    if (above.peersDecode(from, address)) {
      for (FunctionModel peer : decoders) {
        if (peer != from && peer.decodes(address)) {
          return peer.write(address, value, bytes);
        }
      }
    }
    return above.writeUp(requesterId, address, value, bytes);
  }

  /// {@return the way of a function's writes to an address; null when a peer takes them or they are blocked}
  ///
  /// @param state the hierarchy's changes before the way was looked for
  MessageWays.@Nullable Way wayUp(FunctionModel from, int requesterId, long address, long state) {
    if (above.peersDecode(from, address)) {
      for (FunctionModel peer : decoders) {
        if (peer != from && peer.decodes(address)) {
          return null;
        }
      }
    }
    return above.wayUp(requesterId, address, state);
  }

  BusRead readFrom(FunctionModel from, int requesterId, long address, int bytes) {
    if (above.peersDecode(from, address)) {
      for (FunctionModel peer : decoders) {
        if (peer != from && peer.decodes(address)) {
          return peer.read(address, bytes);
        }
      }
    }
    return above.readUp(requesterId, address, bytes);
  }

  BusOutcome writeDown(long address, long value, int bytes) {
    for (FunctionModel f : decoders) {
      if (f.decodes(address)) {
        return f.write(address, value, bytes);
      }
    }
    return BusOutcome.ERROR;
  }

  BusRead readDown(long address, int bytes) {
    for (FunctionModel f : decoders) {
      if (f.decodes(address)) {
        return f.read(address, bytes);
      }
    }
    return BusRead.error(bytes);
  }

  /// {@return the function that a configuration request for a bus number reaches}
  ///
  /// @param position device and function number on that bus
  /// @param onlyDevice0 whether the port above does not forward ARI numbers
  Optional<FunctionModel> route(int bus, int position, boolean onlyDevice0) {
    int number = number();
    if (bus == number) {
      return onlyDevice0 && position >= Byte.SIZE ? Optional.empty() : at(position);
    }
    for (FunctionModel f : functions.values()) {
      if (f instanceof BridgeModel b && b.leadsTo(bus)) {
        return b.below().route(bus, position, b.onlyDevice0());
      }
    }
    return bus > number ? at((bus - number) * DEVICE_NUMBERS + position) : Optional.empty();
  }

  void resetAll() {
    functions.values().forEach(FunctionModel::reset);
  }
}
