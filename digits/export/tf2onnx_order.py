"""Makes tf2onnx convert the same network to the same ONNX graph in every process."""

from functools import cache
from typing import Any

from tf2onnx.graph import Graph, Node


@cache
def keep() -> None:
    """Lets tf2onnx list nodes in the order of their graph, from now on.

    tf2onnx 1.17 collects the nodes that are in use, and those that read a tensor, in sets, whose order follows from
    memory addresses and hashes of strings. Its optimizers change the list of nodes while they walk along it, so that
    the order decides which nodes they skip: one conversion in forty kept nodes that the others had removed.
    """
    extract, consumers = Graph.extract_sub_graph_nodes, Graph.find_output_consumers

    def in_order(graph: Graph, nodes: list[Node]) -> list[Node]:
        place = {id(node): number for number, node in enumerate(graph.get_nodes())}
        # Nodes of a graph within this one have no place here; they come last.
        return sorted(nodes, key=lambda node: (place.get(id(node), len(place)), node.name))

    def extract_in_order(graph: Graph, *arguments: Any, **named: Any) -> list[Node]:
        return in_order(graph, extract(graph, *arguments, **named))

    def consumers_in_order(graph: Graph, output_name: str) -> list[Node]:
        return in_order(graph, consumers(graph, output_name))

    Graph.extract_sub_graph_nodes, Graph.find_output_consumers = extract_in_order, consumers_in_order
