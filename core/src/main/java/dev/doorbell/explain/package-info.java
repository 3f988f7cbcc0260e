/// What is said to people and where each fact was read: sources, hops, oddities, refusals.
@NullMarked
package dev.doorbell.explain;

import org.jspecify.annotations.NullMarked;
