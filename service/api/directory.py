"""``/api/v1/departments`` and ``/api/v1/categories``: what ids and keys of orders stand for."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.category import Category
from service.api.deps import CanRead, Deps
from service.api.problems import problem_responses

router = APIRouter(prefix="/api/v1", tags=["directory"])


class DepartmentOut(BaseModel):
    """A department of the city."""

    department_id: str
    name: str
    name_zh: str = Field(description="Empty if it has none.")


class DepartmentList(BaseModel):
    """All departments that the service was told of."""

    items: list[DepartmentOut]


class CategoryOut(BaseModel):
    """A category of the city's table."""

    category: str
    name: str
    name_zh: str
    group: str
    service_code: str = Field(description="Open311's.")
    public: bool = Field(description="Whether citizens may report it, and see it.")


class CategoryList(BaseModel):
    """The table of categories."""

    items: list[CategoryOut]


@router.get("/departments", responses=problem_responses())
def list_departments(_who: CanRead, deps: Deps) -> DepartmentList:
    """List the departments of the city's file."""
    known = () if deps.city is None else deps.city.departments
    return DepartmentList(
        items=[
            DepartmentOut(department_id=d.department_id, name=d.name, name_zh=d.name_zh or "")
            for d in known
        ]
    )


@router.get("/categories", responses=problem_responses())
def list_categories(_who: CanRead, deps: Deps) -> CategoryList:
    """List the categories of the city's table, in its order."""
    return CategoryList(items=[_category(each) for each in deps.categories.categories.values()])


def _category(category: Category) -> CategoryOut:
    return CategoryOut(
        category=category.key,
        name=category.name,
        name_zh=category.name_zh,
        group=category.group,
        service_code=category.service_code,
        public=category.is_public,
    )
